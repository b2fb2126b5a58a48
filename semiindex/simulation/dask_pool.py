"""Running blocks on a Dask cluster that joblib points at.

joblib's own way to Dask places arguments on workers, where they are lost when one dies, and does not
hand over the error of a task that Dask has given up: either would stall a study. Tasks are therefore
submitted to the client of joblib's backend, arguments and all.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from joblib.parallel import get_active_backend

__all__ = ["DaskPool", "active_dask_pool"]

#: Blocks per thread of the cluster that are under way, so that none waits for the driver.
_AHEAD = 2


def active_dask_pool() -> DaskPool | None:
    """The pool of ``parallel_config(backend="dask")``, if that is in force."""
    backend, _ = get_active_backend()
    client = getattr(backend, "client", None)
    return None if client is None else DaskPool(client)


class DaskPool:
    """A Dask cluster as seen by the execution of a study.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def results(self, calls: Iterable[Any]) -> Iterator[Any]:
        """Results of calls as they come; calls are drawn while others run.

        Parameters
        ----------
        calls : iterable
            Calls as of ``joblib.delayed``.

        Yields
        ------
        object
            What a call returns. An error of a call is raised, and the calls under way are cancelled.
        """
        import distributed

        as_completed: Any = distributed.as_completed  # without types
        calls = iter(calls)
        threads = sum(self._client.nthreads().values())
        pending = as_completed([self._submit(call) for call in islice(calls, max(1, _AHEAD * threads))])
        under_way = set(pending.futures)
        try:
            for future in pending:
                under_way.discard(future)
                yield future.result()
                for call in islice(calls, 1):
                    new = self._submit(call)
                    under_way.add(new)
                    pending.add(new)
        finally:
            self._client.cancel(list(under_way))

    def alone(self, call: Any) -> Any:
        """Result of one call, while no other runs.

        Parameters
        ----------
        call : tuple
            As of ``joblib.delayed``.

        Returns
        -------
        object
            What it returns.
        """
        return self._submit(call).result()

    def _submit(self, call: Any) -> Any:
        import cloudpickle

        # Dask's own pickling stops a worker that lacks a module; here that is an error of the call. Equal
        # calls are not one call: a block may be run again after a crash.
        return self._client.submit(_run_pickled, cloudpickle.dumps(call), pure=False)


def _run_pickled(payload: bytes) -> Any:
    function, arguments, keywords = pickle.loads(payload)
    return function(*arguments, **keywords)
