"""Where the calls of the versioned API are found."""

API = "/api/v1"
STUDIES, CLAIMS, TRIALS = f"{API}/studies", f"{API}/claims", f"{API}/trials/"
STUDY = f"{STUDIES}/{{study}}"
