"""What all fuzz tests have in common."""

from hypothesis import settings

# A busy machine is no fault: what takes too long has tests of its own.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
