"""The call that draws a figure of a study."""

from io import BytesIO
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response

from service import figures
from service.api.addresses import STUDY
from service.api.reading import Reading, StudyKey
from service.domain.errors import FigureNotFound
from service.storage.store import Store

router = APIRouter(prefix=f"{STUDY}/figures", tags=["figures"])

MEDIA_TYPES = {"png": "image/png", "svg": "image/svg+xml"}
FigureName = Annotated[str, Path(max_length=64)]


@router.get(
    "/{name}.{form}",
    response_class=Response,
    responses={200: {"content": {media_type: {} for media_type in MEDIA_TYPES.values()}}},
)
def figure(database: Reading, study: StudyKey, name: FigureName, form: Literal["png", "svg"]) -> Response:
    """Draw a figure of a study as it stands."""
    found = figures.find(name)
    if found is None:
        raise FigureNotFound(name, [known.name for known in figures.known()])

    def read(store: Store) -> bytes:
        image = BytesIO()
        found.draw(store, store.studies.get(study)).savefig(image, format=form, dpi=110)
        return image.getvalue()

    return Response(database.read(read), media_type=MEDIA_TYPES[form])
