"""The calls about what the best trials are worth: trained again, and tested once."""

from collections.abc import Sequence

from client.studies import path_of
from client.transport import Transport
from service.protocol import Confirmation, ConfirmationRequest, FinalTest, FinalTestRequest


class ConfirmationCalls:
    _transport: Transport

    def confirm(
        self,
        study: str,
        n: int = 5,
        seeds: int = 5,
        *,
        new_splits: bool = False,
        trials: Sequence[int] | None = None,
    ) -> Confirmation:
        """Trains the best n trials, or those named, again with so many seeds; what is there is not repeated."""
        named = None if trials is None else list(trials)
        body = ConfirmationRequest(n=n, seeds=seeds, new_splits=new_splits, trials=named)
        return self._transport.post(f"{path_of(study)}/confirmation", Confirmation, body)

    def confirmation(self, study: str) -> Confirmation:
        return self._transport.get(f"{path_of(study)}/confirmation", Confirmation)

    def final_test(self, study: str, trial: int | None = None) -> FinalTest:
        """Asks for the one final test, of the best confirmed trial or of the one named; asked again, how it stands."""
        return self._transport.post(f"{path_of(study)}/final-test", FinalTest, FinalTestRequest(trial=trial))

    def final_test_result(self, study: str) -> FinalTest:
        """How the final test stands, without asking for one."""
        return self._transport.get(f"{path_of(study)}/final-test", FinalTest)
