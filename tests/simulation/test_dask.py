"""A study on a Dask cluster of two processes: the same table, and a worker that dies loses nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from pandas.testing import assert_frame_equal

from semiindex import KnownLinkPolicy
from semiindex.simulation import NormalFeatures, Truth
from semiindex.simulation.cells import Streams

pytestmark = [
    pytest.mark.slow,
    # The cluster's supervisors run in threads of this process; a warning of theirs that became an error
    # would keep a dead worker from coming back.
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    dask, cloudpickle = pytest.importorskip("dask"), pytest.importorskip("cloudpickle")
    # Workers cannot import this module: its classes travel whole.
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    with (
        # By default a task may kill three workers before it is given up, and each takes seconds to return.
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


@pytest.mark.usefixtures("client")
def test_a_cluster_gives_the_same_table(
    study: Any, numbers: Any, table: pd.DataFrame, tmp_path: Path
) -> None:
    with parallel_config(backend="dask"):
        result = study().run(cache=tmp_path)
    assert_frame_equal(numbers(result), table, check_exact=True)
    # What the driver wrote is what a run without a cluster reads.
    assert_frame_equal(study().run(cache=tmp_path).frame, result.frame, check_exact=True)


class DeadlyOnce(KnownLinkPolicy):
    """Kills the process of its first fit, as the kernel does to one that needs too much memory."""

    def __init__(self, mark: str = "") -> None:
        super().__init__()
        self.mark = mark

    def fit(self, X: Any, y: Any = None, **kwargs: Any) -> Any:
        if not Path(self.mark).exists():
            Path(self.mark).touch()
            os._exit(1)
        return super().fit(X, y, **kwargs)


@pytest.mark.usefixtures("client")
def test_a_worker_that_is_killed_loses_nothing(study: Any, tmp_path: Path) -> None:
    mark = tmp_path / "killed"
    with parallel_config(backend="dask"):
        killed = study(estimators={"logistic": DeadlyOnce(str(mark))}).run(block_size=1)
    assert mark.exists()
    assert (killed.frame["error"] == "").all()
    calm = study(estimators={"logistic": KnownLinkPolicy()}).run()
    assert_frame_equal(
        killed.frame.drop(columns="seconds"), calm.frame.drop(columns="seconds"), check_exact=True
    )


class Deadly(KnownLinkPolicy):
    """Kills every process that fits one sample of the study."""

    def fit(self, X: Any, y: Any = None, **kwargs: Any) -> Any:
        if np.abs(X.differences[0]).sum() == self.tol:
            os._exit(1)
        return super().fit(X, y, **kwargs)


@pytest.mark.usefixtures("client")
def test_a_fit_that_kills_every_worker_becomes_a_row(study: Any) -> None:
    small = {"designs": {"normal": NormalFeatures(3)}, "truths": {"t": Truth()}, "n": 60, "strength": None}
    one = study(**small)
    cell = one.cells[0]
    sample = one.designs["normal"].sample(one.truths["t"], 60, Streams(0, False).sample(cell, 1))
    marked = Deadly(tol=float(np.abs(sample.pairs.differences[0]).sum()))
    with parallel_config(backend="dask"):
        frame = study(**small, estimators={"deadly": marked, "logistic": KnownLinkPolicy()}).run().frame
    died = frame["error"] != ""
    assert frame.loc[died, ["estimator", "replication"]].to_numpy().tolist() == [["deadly", 1]]
    assert frame.loc[died, "error"].item().startswith("KilledWorker")
    calm = study(**small, estimators={"logistic": KnownLinkPolicy()}).run().frame
    same = frame[frame["estimator"] == "logistic"].reset_index(drop=True)
    assert_frame_equal(same.drop(columns="seconds"), calm.drop(columns="seconds"), check_exact=True)
