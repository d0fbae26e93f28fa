"""The hostile tests use the harness of e2e/: same server, same fixtures, worse clients."""

import importlib.util
import sys
from pathlib import Path

E2E = Path(__file__).resolve().parents[2] / "e2e"
sys.path[:0] = [str(E2E), str(Path(__file__).resolve().parent)]

_spec = importlib.util.spec_from_file_location("equinox_e2e_fixtures", E2E / "conftest.py")
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)
pytest_configure = _fixtures.pytest_configure
certificate, site, make_config, start, tool = (getattr(_fixtures, n) for n in ("certificate", "site", "make_config", "start", "tool"))
