"""Generated input for every door: whatever comes, an answer that helps, in time, in little memory."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
