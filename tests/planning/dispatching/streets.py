# SPDX-License-Identifier: Apache-2.0
"""Small generated days for the dispatching tests, and slow ways to the best answers."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from muster.planning.dispatching import Weights, make_problem

NEVER = 10**9


def day(seed, *, people=None, requests=None, **changes):
    """Return a random problem with all that can stand in one."""
    rng = np.random.default_rng(seed)
    people = int(rng.integers(1, 25)) if people is None else people
    requests = int(rng.integers(1, 20)) if requests is None else requests

    def words(share, count):
        return [[f"t{k}" for k in range(3) if rng.random() < share] for _ in range(count)]

    def grids(count):
        return [str(rng.choice(["a", "b"])) if rng.random() < 0.7 else None for _ in range(count)]

    facts = {
        "responders": {
            "x_m": rng.uniform(0, 3000, people),
            "y_m": rng.uniform(0, 3000, people),
            "traits": words(0.6, people),
            "load": rng.integers(0, 3, people),
            "capacity": rng.integers(0, 5, people),
            "grid": grids(people),
        },
        "requests": {
            "x_m": rng.uniform(-500, 3500, requests),
            "y_m": rng.uniform(-500, 3500, requests),
            "needs": words(0.3, requests),
            "avoids": words(0.1, requests),
            "grid": grids(requests),
            "urgency": rng.integers(1, 4, requests),
        },
        "weights": Weights(
            load_m=int(rng.choice([0, 150, 900])),
            own_grid_m=int(rng.choice([0, 300])),
            unserved_m=int(rng.choice([800, 60000])),
        ),
        "walk_permille": int(rng.choice([1000, 1300])),
    }
    if people and requests:
        pairs = rng.integers(0, [requests, people], (3, 2))
        facts["declined"] = [(str(q), str(r)) for q, r in pairs]
    return make_problem(**(facts | changes))


def score(problem, request, responder, jobs=0):
    """Return what a responder costs for a request, after so many other new jobs."""
    load = int(problem.responders.load[responder]) + jobs
    own = problem.weights.own_grid_m if problem.is_own_grid(request, responder) else 0
    return problem.walk_m(request, responder) + problem.weights.load_m * load - own


def best_cost(problem):
    """Return the least cost by an assignment to single jobs, everything written out."""
    room = problem.responders.capacity - problem.responders.load
    jobs = [(who, k) for who in range(problem.responders.size) for k in range(max(0, int(room[who])))]
    cost = np.full((problem.requests.size, len(jobs) + problem.requests.size), NEVER, np.int64)
    declined = set(problem.declined)
    for request in range(problem.requests.size):
        cost[request, len(jobs) + request] = problem.weights.unserved_m * problem.requests.urgency[request]
        for job, (who, k) in enumerate(jobs):
            if problem.may_go(request, who) and (request, who) not in declined:
                cost[request, job] = score(problem, request, who, k)
    rows, columns = linear_sum_assignment(cost)
    return int(cost[rows, columns].sum())
