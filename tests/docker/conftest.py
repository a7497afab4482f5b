"""What the tests of the images and of the stack stand on."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pytest
from cluster_kit import Cluster, serving
from edge_kit import free_ports
from image_kit import ONCE, PATIENCE_S, Image, container, lay_out
from stack_kit import Made, make_private, stack


@pytest.fixture(scope="session")
def compose() -> dict:
    """The stack with every profile, as Docker Compose itself resolves it with the settings that are shipped."""
    return stack()


@pytest.fixture(scope="session")
def private(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """What `docker/secrets` made, on this machine."""
    return make_private(tmp_path_factory.mktemp("docker") / "made")


@pytest.fixture(scope="module")
def stand_in(private) -> Iterator[Cluster]:
    made = Cluster((private.private / "elastic_password").read_text().strip())
    with serving(made, private.private / "elasticsearch_certificate", private.private / "elasticsearch_key") as up:
        yield up


@pytest.fixture(scope="module")
def image(private, stand_in) -> Iterator[Image]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        made = Image(Path(folder))
        ports = free_ports(6)
        inner = ("8710", "8711", "8712", "8713", "8714", "8080")
        made.names = {f"127.0.0.1:{port}": f"127.0.0.1:{free}" for port, free in zip(inner, ports, strict=True)}
        made.names |= {"https://elasticsearch:9200": f"https://localhost:{stand_in.port}"}
        made.names |= {"https://kibana:5601": f"https://localhost:{stand_in.port}"}
        names = ("DESK", "ACKNOWLEDGE", "STANDIN", "MAILBOX", "WEBHOOK", "AIRFLOW")
        made.build()
        made.env |= {f"VIGIE_{name}_PORT": str(port) for name, port in zip(names, ports, strict=True)}
        lay_out(made, private)
        yield made


@pytest.fixture(scope="module")
def folder(image) -> Path:
    made = image.root / "logs"
    made.mkdir()
    return made


@pytest.fixture(scope="module")
def prepared(image, compose, folder) -> list[str]:
    """The one-shots before the pages, in the stack's order; which ones ended well."""
    return [name for name in ONCE if finished(image, compose, name, folder)]


def finished(image, compose, name, folder) -> bool:
    with container(image, name, compose["services"][name], folder) as one:
        assert one.ended(PATIENCE_S) == 0, one.said()
    return True
