"""Settings of the whole suite: how long an example takes says nothing about what it shows."""

from hypothesis import settings

settings.register_profile("shibori", deadline=None)
settings.load_profile("shibori")
