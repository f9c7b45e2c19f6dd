"""Where the goldens and what they are made from lie in the project."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDENS = ROOT / "spec" / "data" / "goldens"
MODELS = ROOT / "models"
HELD_OUT = MODELS / "held-out.json"
