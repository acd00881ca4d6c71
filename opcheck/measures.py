"""What statements bound. ``state[0]`` is the row in question, ``state[OTHER]`` a second one."""

from opcheck.model.measure import measure
from opcheck.model.primitives import (
    OTHER,
    WORK,
    WORK_2,
    axpy,
    distance2,
    norm2,
    resolvent_of_sum,
    subtract,
)


@measure("residual")
def residual(F, F_data, J, J_data, state, params, k):
    """‖F z‖²."""
    F(state[0], state[WORK], F_data)
    return norm2(state[WORK])


@measure("natural_residual")
def natural_residual(F, F_data, J, J_data, state, params, k):
    """‖z − J_A(z − F z)‖²."""
    z, w = state[0], state[WORK]
    F(z, w, F_data)
    axpy(w, z, -1, w)
    J(w, 1, w, J_data)
    return distance2(z, w)


@measure("resolvent_residual")
def resolvent_residual(F, F_data, J, J_data, state, params, k):
    """‖z − J_{γS} z‖², with γ the first parameter of the method."""
    resolvent_of_sum(F, F_data, J, J_data, state[0], params[0], state[WORK])
    return distance2(state[0], state[WORK])


@measure("inner_error", rows="w before")
def inner_error(F, F_data, J, J_data, state, params, k):
    """‖w − J_{γS} z‖², with γ the first parameter of the method."""
    resolvent_of_sum(F, F_data, J, J_data, state[OTHER], params[0], state[WORK])
    return distance2(state[0], state[WORK])


@measure("norm2")
def squared_norm(F, F_data, J, J_data, state, params, k):
    """‖v‖² of a row."""
    return norm2(state[0])


@measure("distance", rows="z solution")
def distance(F, F_data, J, J_data, state, params, k):
    """‖z − z*‖²; between any two rows where two are named."""
    return distance2(state[0], state[OTHER])


@measure("operator_distance", rows="z before")
def operator_distance(F, F_data, J, J_data, state, params, k):
    """‖F z − F v‖² of two rows."""
    F(state[0], state[WORK], F_data)
    F(state[OTHER], state[WORK_2], F_data)
    subtract(state[WORK], state[WORK], state[WORK_2])
    return norm2(state[WORK])


@measure("max_norm")
def max_norm(F, F_data, J, J_data, state, params, k):
    """‖z‖∞."""
    largest = abs(state[0][0])
    for i in range(1, state[0].shape[0]):
        largest = max(largest, abs(state[0][i]))
    return largest
