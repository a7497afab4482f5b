import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.database import Database
from store.index.cluster import Cluster
from store.search.elastic import Elastic

sys.path.insert(0, str(Path(__file__).parent))  # the kits that several tests share

import corpus_kit
import index_kit


@pytest.fixture(scope="package")
def corpus(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The invented posts, with what was understood of them."""
    path = tmp_path_factory.mktemp("corpus") / "vigie.db"
    shutil.copy(migrated, path)
    db = Database.open(f"sqlite:///{path}", clock=lambda: corpus_kit.NOW)
    corpus_kit.fill(db)
    yield db
    db.close()


@pytest.fixture(scope="package")
def corpus_cluster(elasticsearch_url: str, corpus: Database) -> Cluster:
    """The same posts in Elasticsearch, brought there with every change that they went through."""
    cluster = Cluster((elasticsearch_url,), prefix=f"t{time.time_ns() % 10**9}-corpus")
    index_kit.follow(corpus, cluster)
    return cluster


@pytest.fixture(scope="package")
def elastic(corpus_cluster: Cluster) -> Iterator[Elastic]:
    engine = Elastic(corpus_cluster, timeout_s=20)
    yield engine
    engine.close()
