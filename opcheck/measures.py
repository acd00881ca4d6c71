"""What statements bound. ``state[0]`` is the row in question, ``state[OTHER]`` a second one."""

import numpy as np

from opcheck.kernels import (
    BEFORE,
    OTHER,
    SOLUTION,
    WORK,
    WORK_2,
    axpy,
    distance2,
    dot,
    norm2,
    resolvent_of_sum,
    subtract,
)
from opcheck.methods._picard import picard
from opcheck.model.measure import measure


def square(v):
    """‖v‖², for the references."""
    return np.sum(v**2)


@measure(
    "residual",
    latex=r"\Vert F\,{0}\Vert^2",
    words="the squared residual",
    unit="squared units of F",
    reference=lambda F, z: square(F(z)),
)
def residual(F, F_data, J, J_data, state, params, k):
    """‖F z‖²."""
    F(state[0], state[WORK], F_data)
    return norm2(state[WORK])


@measure(
    "natural_residual",
    latex=r"\Vert {0} - {P}({0} - F\,{0})\Vert^2",
    words="the squared natural residual",
    unit="squared units of z",
    reference=lambda F, J, z: square(z - J(z - F(z), 1)),
)
def natural_residual(F, F_data, J, J_data, state, params, k):
    """‖z − J_A(z − F z)‖²."""
    z, w = state[0], state[WORK]
    F(z, w, F_data)
    axpy(w, z, -1, w)
    J(w, 1, w, J_data)
    return distance2(z, w)


@measure(
    "resolvent_residual",
    latex=r"\Vert {0} - J_{{\gamma S}}\,{0}\Vert^2",
    words="the squared residual of the resolvent",
    unit="squared units of z",
    reference=lambda F, J, z, gamma: square(z - picard(F, J, z, gamma)),
)
def resolvent_residual(F, F_data, J, J_data, state, params, k):
    """‖z − J_{γS} z‖², with γ the first parameter of the method."""
    resolvent_of_sum(F, F_data, J, J_data, state[0], params[0], state[WORK])
    return distance2(state[0], state[WORK])


@measure(
    "step_residual",
    rows="z Fzbar",
    of_point=True,
    latex=r"\gamma^2\Vert F\,z_k + a_k\Vert^2",
    words="the squared residual with the normal that the step found",
    unit="squared units of z",
    reference=lambda F, z, other, before, gamma: square(gamma * (F(z) - other) + before - z),
)
def step_residual(F, F_data, J, J_data, state, params, k):
    """γ²‖F z + a‖² with γ a = z₋ − γ v − z ∈ γ A z, where z = J(z₋ − γ v) was the last step.

    z₋ is the point before the step, v the second row, γ the first parameter of the method. The
    factor γ² stays: divided by it, the rounding of z would weigh 1/γ².
    """
    z = state[0]
    F(z, state[WORK], F_data)
    subtract(state[WORK], state[WORK], state[OTHER])
    subtract(state[WORK_2], state[BEFORE], z)
    axpy(state[WORK], state[WORK_2], params[0], state[WORK])
    return norm2(state[WORK])


@measure(
    "value_distance",
    rows="z Fzbar",
    of_point=True,
    latex=r"\Vert F\,{0} - v_k\Vert^2",
    words="the squared distance of F from its last look-ahead",
    unit="squared units of F",
    reference=lambda F, z, other: square(F(z) - other),
)
def value_distance(F, F_data, J, J_data, state, params, k):
    """‖F z − v‖², v a row that holds what F was at the last look-ahead."""
    F(state[0], state[WORK], F_data)
    return distance2(state[WORK], state[OTHER])


@measure(
    "gap",
    rows="Fz zbar",
    latex=r"\langle v_k, {1} - z^*\rangle",
    words="the gap",
    unit="units of F times units of z",
    reference=lambda z, other, solution: z @ (other - solution),
)
def gap(F, F_data, J, J_data, state, params, k):
    """⟨v, z − z*⟩ of a row v and the point z that it belongs to."""
    subtract(state[WORK], state[OTHER], state[SOLUTION])
    return dot(state[0], state[WORK])


@measure(
    "shadow_distance",
    rows="z solution",
    latex=r"\Vert {0} - z^* - \gamma F\,z^*\Vert^2",
    words="the squared distance from the fixed point",
    unit="squared units of z",
    reference=lambda F, z, other, gamma: square(z - other - gamma * F(other)),
)
def shadow_distance(F, F_data, J, J_data, state, params, k):
    """‖z − z* − γ F z*‖², z* + γ F z* being a fixed point of Douglas-Rachford steps."""
    F(state[OTHER], state[WORK], F_data)
    axpy(state[WORK], state[OTHER], params[0], state[WORK])
    return distance2(state[0], state[WORK])


@measure(
    "inner_error",
    rows="w before",
    latex=r"\Vert w_k - J_{{\gamma S}}\,{1}\Vert^2",
    words="the squared error of the inner loop",
    unit="squared units of z",
    reference=lambda F, J, z, other, gamma: square(z - picard(F, J, other, gamma)),
)
def inner_error(F, F_data, J, J_data, state, params, k):
    """‖w − J_{γS} z‖², with γ the first parameter of the method."""
    resolvent_of_sum(F, F_data, J, J_data, state[OTHER], params[0], state[WORK])
    return distance2(state[0], state[WORK])


@measure(
    "norm2",
    latex=r"\Vert {0}\Vert^2",
    words="the squared norm",
    unit="squared units of the row",
    reference=lambda z: square(z),
)
def squared_norm(F, F_data, J, J_data, state, params, k):
    """‖v‖² of a row."""
    return norm2(state[0])


@measure(
    "distance",
    rows="z solution",
    latex=r"\Vert {0} - {1}\Vert^2",
    words="the squared distance",
    unit="squared units of z",
    reference=lambda z, other: square(z - other),
)
def distance(F, F_data, J, J_data, state, params, k):
    """‖z − z*‖²; between any two rows where two are named."""
    return distance2(state[0], state[OTHER])


@measure(
    "operator_distance",
    rows="z before",
    latex=r"\Vert F\,{0} - F\,{1}\Vert^2",
    words="the squared distance of values of F",
    unit="squared units of F",
    reference=lambda F, z, other: square(F(z) - F(other)),
)
def operator_distance(F, F_data, J, J_data, state, params, k):
    """‖F z − F v‖² of two rows."""
    F(state[0], state[WORK], F_data)
    F(state[OTHER], state[WORK_2], F_data)
    subtract(state[WORK], state[WORK], state[WORK_2])
    return norm2(state[WORK])


@measure(
    "max_norm",
    latex=r"\Vert {0}\Vert_\infty",
    words="the largest modulus of a coordinate",
    unit="units of z",
    coordinates=True,
    reference=lambda z: np.abs(z).max(),
)
def max_norm(F, F_data, J, J_data, state, params, k):
    """‖z‖∞."""
    largest = abs(state[0][0])
    for i in range(1, state[0].shape[0]):
        largest = max(largest, abs(state[0][i]))
    return largest
