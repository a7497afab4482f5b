"""What the tests of the images and of the stack stand on."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pytest
from stack_kit import Made, make_private, stack


@pytest.fixture(scope="session")
def compose() -> dict:
    """The stack with every profile, as Docker Compose itself resolves it with the settings that are shipped."""
    return stack()


@pytest.fixture(scope="session")
def private(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """What `docker/secrets` made, on this machine."""
    return make_private(tmp_path_factory.mktemp("docker") / "made")
