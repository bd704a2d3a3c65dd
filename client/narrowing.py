"""The calls about what the trials tell: which parameters matter, what becomes of the ranges, and figures."""

from client.studies import path_of
from client.transport import API, Request, Transport
from service.protocol import Importance, Narrowing, RoundList, RoundRequest, RoundView


class NarrowingCalls:
    _transport: Transport

    def importance(self, study: str) -> Importance:
        return self._transport.get(f"{path_of(study)}/importance", Importance)

    def narrowing(self, study: str) -> Narrowing:
        return self._transport.get(f"{path_of(study)}/narrowing", Narrowing)

    def open_round(self, study: str, request: RoundRequest) -> RoundView:
        return self._transport.post(f"{path_of(study)}/rounds", RoundView, request)

    def open_proposed_round(self, study: str) -> RoundView:
        """Opens a round with the ranges that `narrowing` proposes."""
        return self.open_round(study, RoundRequest.model_validate({"from": "proposal"}))

    def undo_round(self, study: str) -> RoundView:
        """Opens the ranges of the round before the one in force again."""
        return self.open_round(study, RoundRequest.model_validate({"from": "undo"}))

    def rounds(self, study: str) -> RoundList:
        return self._transport.get(f"{path_of(study)}/rounds", RoundList)

    def figure(self, study: str, name: str, form: str = "png") -> bytes:
        request = Request("GET", f"{API}{path_of(study)}/figures/{name}.{form}", headers={"Accept": "*/*"})
        return self._transport.send(request)
