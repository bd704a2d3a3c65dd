"""Removes the rows of deleted studies, so few at a time that others hardly wait."""

from service.storage.store import Store

ROWS_AT_ONCE = 200


def remove_portion(store: Store, rows: int = ROWS_AT_ONCE) -> bool:
    """Remove some rows of one deleted study; whether there was any, and nobody else was at it."""
    study_id = store.deletions.first()
    if study_id is None:
        return False
    if not store.deletions.remove(study_id, rows):
        store.deletions.finish(study_id)
    return True
