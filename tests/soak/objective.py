"""What the workers of the soak run: trials of 50 ms with two epochs, whose value is known beforehand."""

import time

from shibori import Trial, objective

EPOCHS = 2
EPOCH_SECONDS = 0.025


@objective
def soaked(trial: Trial) -> float:
    """The value of x, told at each epoch too."""
    x = float(trial.params["x"])
    for epoch in range(1, EPOCHS + 1):
        time.sleep(EPOCH_SECONDS)
        trial.report(epoch, value=x)
    return x
