"""The driver: one text for every method, operator and reading; and the graph of an operator."""

from opcheck.model.primitives import BEFORE, EXTRA_ROWS, OTHER, copy, norm2


def drive(
    measures,
    rows,
    advance,
    oracle,
    oracle_data,
    F,
    F_data,
    J,
    J_data,
    state,
    params,
    start,
    stops,
    columns,
    record,
    path,
    status,
    limit,
):
    """Run each of m problems from iteration ``start`` through ``stops``, recording on the way.

    Args:
        measures: kernels; only the first ``rows.shape[0]`` are taken.
        rows: [measure, 2] row in question and second row (or −1) of each measure.
        oracle, oracle_data: the F that the method calls; F itself, unless it is sampled.
        F, F_data: the F that measures call.
        oracle_data, F_data, J_data: [m or 1, size]; one row serves every run.
        state: [m, rows, d], with the driver's own rows last.
        params: [m, p].
        start: iterations already made.
        stops: iteration counts at which to stop, increasing.
        columns: for each stop the column of ``record`` to fill, or −1.
        record: [m, measure, column].
        path: [m, column, d] to receive z, or of zero columns.
        status: [m]; 0, 1 + k where the run left the norm limit, −1 − k where it became NaN.
        limit: norm limit, squared; 0 for none.
    """
    for i in range(state.shape[0]):
        own = state[i, : state.shape[1] - EXTRA_ROWS]
        o_data = oracle_data[min(i, oracle_data.shape[0] - 1)]
        f_data = F_data[min(i, F_data.shape[0] - 1)]
        j_data = J_data[min(i, J_data.shape[0] - 1)]
        k = start
        for s in range(stops.shape[0]):
            if status[i] != 0:
                break
            n = stops[s] - k
            if n > 1:
                advance(oracle, o_data, J, j_data, own, params[i], k, n - 1)
            if n > 0:
                copy(state[i, BEFORE], own[0])
                advance(oracle, o_data, J, j_data, own, params[i], k + n - 1, 1)
            k = stops[s]
            c = columns[s]
            if c >= 0:  # where a run is cut into calls decides nothing
                if limit > 0 and not norm2(own[0]) <= limit:
                    status[i] = 1 + k if norm2(own[0]) > limit else -1 - k
                for j in range(rows.shape[0]):
                    if rows[j, 1] != -1:
                        copy(state[i, OTHER], state[i, rows[j, 1]])
                    record[i, j, c] = measures[j](
                        F, f_data, J, j_data, state[i, rows[j, 0] :], params[i], k
                    )
                if path.shape[1] > 0:
                    copy(path[i, c], own[0])


def graph(F, F_data, J, J_data, points, values):
    """Move each point w to z = J_A(w) and give F(z) there; w − z is then an element of A(z)."""
    for i in range(points.shape[0]):
        J(points[i], 1, points[i], J_data)
        F(points[i], values[i], F_data)
