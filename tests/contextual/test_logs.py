"""Logged data: counts of rows, and one-line errors that name the row."""

import math

import numpy as np
import pandas as pd
import pytest

import banditlab as bl
from banditlab.contextual.dataset import COLUMNS
from banditlab.contextual.kl_lin_pcb import kl_lin_pcb
from banditlab.contextual.kl_pcb import kl_pcb
from banditlab.contextual.logs import read_log

REFERENCE = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
ROWS = [(0, 2, 1.0), (1, 0, 0.0), (0, 2, 0.5), (0, 0, 0.25)]


def frame(rows=ROWS, columns=COLUMNS):
    return pd.DataFrame(rows, columns=list(columns))


def read(source, **options):
    return read_log(source, **{"reference": REFERENCE, "eta": 2.0, **options})


def save(text, folder, name="log.csv"):
    path = folder / name
    path.write_text(text)
    return path


def test_four_rows_by_hand():
    data = read(frame())
    np.testing.assert_array_equal(data.counts, [[1.0, 0.0, 2.0], [1.0, 0.0, 0.0]])
    np.testing.assert_array_equal(data.total, [[0.25, 0.0, 1.5], [0.0, 0.0, 0.0]])
    np.testing.assert_allclose(data.reference, REFERENCE, rtol=1e-15)
    known = (data.samples, data.eta, data.sigma, data.floor, data.ceiling, data.radius, data.regularizer_name)
    assert known == (4, 2.0, 0.5, 0.0, 1.0, 0.0, "kl")
    assert data.features.shape == (2, 3, 0)


@pytest.mark.parametrize("kind", ["frame", "csv", "csv as text path", "parquet"])
def test_rows_of_a_file_give_the_counts_of_a_loop(kind, tmp_path):
    rng = np.random.default_rng(0)
    n = 3000
    table = frame(zip(rng.integers(0, 2, n), rng.integers(0, 3, n), rng.random(n)))
    table.insert(1, "time", pd.date_range("2020-01-01", periods=n).astype(str))  # ignored
    if kind == "frame":
        source = table.sample(frac=1.0, random_state=0)  # its index is not in order
    elif kind == "parquet":
        source = tmp_path / "log.parquet"
        table.to_parquet(source)
    else:
        source = tmp_path / "log.csv"
        table.to_csv(source, index=False)
        source = str(source) if "text" in kind else source
    counts, total = np.zeros((2, 3)), np.zeros((2, 3))
    for s, a, x in zip(table.context, table.action, table.reward):
        counts[s, a] += 1.0
        total[s, a] += x
    data = read(source)
    np.testing.assert_array_equal(data.counts, counts)
    np.testing.assert_allclose(data.total, total, rtol=1e-13)


def test_algorithms_fit_a_log_as_they_fit_the_same_simulated_data():
    p = bl.contextual.tabular([[0.2, 0.5, 0.9], [0.7, 0.1, 0.4]], reference=REFERENCE, eta=2.0)
    data = p.dataset(500, 0, 0)
    rows = []
    for s, a in np.ndindex(2, 3):
        ones = int(data.total[s, a])
        rows += [(s, a, 1.0)] * ones + [(s, a, 0.0)] * (int(data.counts[s, a]) - ones)
    fitted = kl_pcb(read(frame(rows)))
    np.testing.assert_array_equal(fitted, kl_pcb(data))
    assert p.suboptimality(fitted) == p.suboptimality(kl_pcb(data))


def test_columns_of_other_types_are_read_as_the_numbers_they_hold(tmp_path):
    text = " context, action, reward\n0.0,2,True\n1,0,False\n"
    data = read(save(text, tmp_path))
    assert (data.counts[0, 2], data.total[0, 2], data.counts[1, 0], data.total[1, 0]) == (1.0, 1.0, 1.0, 0.0)
    nullable = frame().astype({"context": "Int64", "action": "uint8", "reward": "Float64"})
    np.testing.assert_array_equal(read(nullable).total, read(frame()).total)
    np.testing.assert_array_equal(read(frame().astype(str)).total, read(frame()).total)


def test_a_byte_order_mark_and_blank_lines_do_no_harm(tmp_path):
    text = "\ufeffcontext,action,reward\n\n0,1,0.5\n\n1,2,1\n\n"
    assert read(save(text, tmp_path)).samples == 2


@pytest.mark.parametrize("rows", ["0,1,1,\n", "0,1,1,\n1,2,0,\n"])
def test_a_comma_at_the_end_of_rows_does_not_shift_columns(rows, tmp_path):
    data = read(save("context,action,reward\n" + rows, tmp_path))
    assert (data.counts[0, 1], data.total[0, 1], data.samples) == (1.0, 1.0, rows.count("\n"))
    assert data.counts[1, 2] == data.samples - 1


@pytest.mark.parametrize(
    "column",
    [
        np.array([1.0 + 0.0j]),
        np.array([1], dtype="datetime64[ns]"),
        np.array([1], dtype="timedelta64[ns]"),
        pd.date_range("1970-01-01", periods=1, tz="UTC"),
        pd.period_range("1970-01-01", periods=1),
    ],
)
@pytest.mark.parametrize("name", COLUMNS)
def test_columns_that_are_no_real_numbers_are_refused_in_one_line(name, column):
    table = frame(ROWS[:1])
    table[name] = column
    with pytest.raises(ValueError, match=rf"^{name}: a column of type [^\n]* is not allowed, must be real numbers$"):
        read(table)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param(10**400, "an integer of 1329 bits", id="large"),
        pytest.param(-(10**5000), "an integer of 16610 bits", id="too long to print"),
        (1.0 + 0.0j, r"\(1\+0j\)"),
        (np.complex64(1.0), r"\(1\+0j\)"),
        (pd.Timestamp(0), "1970-01-01 00:00:00"),
    ],
)
@pytest.mark.parametrize("name", COLUMNS)
def test_an_entry_that_no_float_holds_is_named_with_its_row(name, value, shown):
    with pytest.raises(ValueError, match=rf"^row 3, {name}: {shown} is not allowed, must be [^\n]*$"):
        read(replaced(2, name, value))


def test_what_is_known_of_the_problem_is_passed_on():
    data = read(
        frame([(0, 1, -3.0), (0, 0, 5.0)]), floor=-3.0, ceiling=5.0, regularizer="alpha", alpha=1.5, eta=math.inf
    )
    assert (data.sigma, data.floor, data.ceiling, data.alpha, data.eta) == (4.0, -3.0, 5.0, 1.5, math.inf)
    assert read(frame(), sigma=0.1).sigma == 0.1
    one = read_log(frame([(0, 1, 1.0)]), reference=[0.5, 0.5], eta=1.0)
    np.testing.assert_array_equal(one.counts, [[0.0, 1.0]])


def test_features_serve_linear_algorithms():
    phi = np.random.default_rng(0).normal(size=(2, 3, 2)) / 5.0
    data = read(frame(), features=phi, radius=2.0)
    assert data.radius == 2.0
    p = bl.contextual.linear(phi, [1.0, 0.0], eta=2.0, radius=2.0, reference=REFERENCE, spread=0.5, floor=-1.0)
    same = p.described(data.counts, data.total)._replace(floor=0.0, ceiling=1.0)
    np.testing.assert_array_equal(kl_lin_pcb(data), kl_lin_pcb(same))


def test_counts_are_read_only():
    data = read(frame())
    assert not data.counts.flags.writeable
    assert not data.total.flags.writeable


def replaced(i, column, value):
    table = frame().astype({"context": object, "action": object, "reward": object})
    table.loc[i, column] = value
    return table


@pytest.mark.parametrize("form", ["frame", "csv", "parquet"])
@pytest.mark.parametrize(
    ("row", "column", "value", "allowed"),
    [
        (3, "context", 2, "an integer from 0 to 1"),
        (1, "context", -1, "an integer from 0 to 1"),
        (2, "action", 3, "an integer from 0 to 2"),
        (4, "action", 1.5, "an integer from 0 to 2"),
        (4, "action", math.nan, "an integer from 0 to 2"),
        (2, "action", math.inf, "an integer from 0 to 2"),
        (3, "reward", math.nan, r"a number in \[0, 1\]"),
        (3, "reward", math.inf, r"a number in \[0, 1\]"),
        (1, "reward", 1.25, r"a number in \[0, 1\]"),
        (4, "reward", -0.5, r"a number in \[0, 1\]"),
    ],
)
def test_a_wrong_entry_is_named_with_its_row_in_one_line(form, row, column, value, allowed, tmp_path):
    source = replaced(row - 1, column, value)
    if form == "csv":
        source.to_csv(tmp_path / "log.csv", index=False)
        source = tmp_path / "log.csv"
    elif form == "parquet":
        source.astype(float).to_parquet(tmp_path / "log.parquet")
        source = tmp_path / "log.parquet"
    shown = rf"{value:g}(\.0)?"
    with pytest.raises(ValueError, match=rf"^row {row}, {column}: {shown} is not allowed, must be {allowed}$"):
        read(source)


@pytest.mark.parametrize("form", ["frame", "csv"])
def test_text_where_a_number_should_be_is_named_with_its_row(form, tmp_path):
    source = replaced(1, "action", "left")
    if form == "csv":
        source.to_csv(tmp_path / "log.csv", index=False)
        source = tmp_path / "log.csv"
    with pytest.raises(ValueError, match=r"^row 2, action: 'left' is not allowed, must be an integer from 0 to 2$"):
        read(source)


def test_a_missing_entry_is_named_with_its_row(tmp_path):
    for text in ("context,action,reward\n0,1,1\n0,1\n", "context,action,reward\n0,1,1\n0,1,\n"):
        with pytest.raises(ValueError, match=r"^row 2, reward: nan is not allowed, must be a number in \[0, 1\]$"):
            read(save(text, tmp_path))


def test_the_first_of_several_wrong_rows_of_a_column_is_named():
    table = frame([(0, 0, 0.5)] * 1000)
    table.loc[[400, 700], "reward"] = math.nan
    with pytest.raises(ValueError, match=r"^row 401, reward: "):
        read(table)


@pytest.mark.parametrize("form", ["frame", "csv", "parquet"])
def test_a_missing_column_is_named_with_those_found(form, tmp_path):
    source = frame(columns=["context", "arm", "reward"])
    if form == "csv":
        source.to_csv(tmp_path / "log.csv", index=False)
        source = tmp_path / "log.csv"
    elif form == "parquet":
        source.to_parquet(tmp_path / "log.parquet")
        source = tmp_path / "log.parquet"
    with pytest.raises(ValueError, match=r"^action: there is no such column, found context, arm, reward$"):
        read(source)


def test_a_column_that_is_there_twice_is_refused(tmp_path):
    message = r"^action: there are several such columns, found context, action, action, reward$"
    with pytest.raises(ValueError, match=message):
        read(save("context,action,action,reward\n0,1,2,1\n", tmp_path))
    with pytest.raises(ValueError, match=message):
        read(frame([(0, 1, 2, 1.0)], ["context", "action", "action", "reward"]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "source: .*log.csv is empty, must hold a header and at least one row"),
        ("\n\n", r"source: .*log.csv cannot be read as a .csv table \(.*\)"),
        ("context,action,reward\n", "source: a log without rows is not allowed, must hold at least one"),
        ("0,1,1.0\n0,2,0.5\n", "context: there is no such column, found 0, 1, 1.0"),
        ("context,action,reward\n0,1,1\n0,1,1,7\n", r"source: .*log.csv cannot be read as a .csv table \(.*line 3.*\)"),
        ("context,action,reward\n0,1,0,5\n", r"source: .*log.csv cannot be read as a .csv table \(rows longer .*\)"),
        ("context,action,reward\n0,1,0,\n0,1,0,5\n", r"source: .*log.csv cannot be read as .* \(rows longer .*\)"),
        ("context,action,reward\n0,1,0,,\n", r"source: .*log.csv cannot be read as a .csv table \(rows longer .*\)"),
        ('context,action,reward\n0,1,"1\n', r"source: .*log.csv cannot be read as a .csv table \(.*\)"),
    ],
)
def test_an_empty_or_broken_csv_is_refused_in_one_line(text, message, tmp_path):
    with pytest.raises(ValueError, match=f"^{message}$"):
        read(save(text, tmp_path))


def test_other_unreadable_sources_are_refused_in_one_line(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"^source: there is no file .*absent.csv$"):
        read(tmp_path / "absent.csv")
    with pytest.raises(ValueError, match=r"^source: 'log.xlsx' is not allowed, must end in .csv or .parquet$"):
        read(tmp_path / "log.xlsx")
    with pytest.raises(ValueError, match=r"^source: .*log.parquet cannot be read as a .parquet table \(.*\)$"):
        read(save("context,action,reward\n0,1,1\n", tmp_path, "log.parquet"))
    (tmp_path / "raw.csv").write_bytes(b"\xff\xfe\x00\x81\n\x00")
    with pytest.raises(ValueError, match=r"^(source|context): .*$"):
        read(tmp_path / "raw.csv")
    with pytest.raises(ValueError, match=r"^source: a log without rows is not allowed, must hold at least one$"):
        read(frame([]))
    with pytest.raises(TypeError, match=r"^source: expected a path or a DataFrame, got list$"):
        read([(0, 1, 1.0)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"eta": 0.0}, "eta: "),
        ({"regularizer": "hellinger"}, "regularizer: "),
        ({"reference": [0.5, 0.6]}, r"reference\[0\]: "),
        ({"reference": [[0.5, 0.5], [1.0, 0.0]]}, r"reference\[1, 1\]: "),
        ({"floor": 1.0}, "ceiling: "),
        ({"ceiling": math.inf}, "ceiling: "),
        ({"sigma": 0.0}, "sigma: "),
        ({"radius": 1.0}, "radius: is not allowed without features"),
        ({"features": np.zeros((2, 3, 1))}, "radius: is missing"),
        ({"features": np.zeros((3, 2, 1)), "radius": 1.0}, r"features: expected shape \(2, 3, d\) with d >= 1"),
        ({"features": np.full((2, 3, 1), 2.0), "radius": 1.0}, "features: a norm of 2 is not allowed"),
    ],
)
def test_bad_parameters_are_refused_in_one_line_before_the_log_is_read(options, message, tmp_path):
    with pytest.raises(ValueError, match=f"^{message}.*$"):
        read(tmp_path / "absent.csv", **options)
