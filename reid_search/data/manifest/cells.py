"""The cells of a table as text: Parquet, or CSV as spreadsheets save it.

Cells of CSV are divided by commas, semicolons or tabs, whichever the first line has most of, or by what a line `sep=;`
before it says, as Excel understands it. The text is UTF-8, or what a mark at its start says (UTF-16, UTF-32).
"""

import codecs
import csv
import io
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from reid_search.common.contents import why_unreadable
from reid_search.errors import DataAbsent, DataError

ENDINGS = (".csv", ".parquet")
_SEPARATORS = ",;\t"
_SAYS_SEPARATOR = re.compile(r'"?sep=([^\w\s"]|\t)"?\r?\n', re.IGNORECASE)
_MARKS = {  # that of UTF-32 starts like that of UTF-16
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


Records = dict[int, dict[str, str]]


def read_records(path: Path) -> Records:
    """Return the rows of a CSV or Parquet file as text by their lines; at least one, and none that is empty.

    Lines are those of a text editor; a row of several lines, as quoted cells may make it, goes by its last.

    Raises:
        DataError: The file is missing, of another kind, or empty.
    """
    if not path.is_file():
        raise DataAbsent(f"{path}: no such file")
    if path.suffix.lower() not in ENDINGS:
        raise DataError(f"{path}: not a table; expected a file that ends in {' or '.join(ENDINGS)}")
    try:
        table = csv_records(path) if path.suffix.lower() == ".csv" else _from_parquet(path)
    except OSError as error:
        raise DataError(f"{path}: not a readable table ({why_unreadable(str(path), error)})") from error
    except (ValueError, csv.Error) as error:
        raise DataError(f"{path}: not a readable table ({error})") from error
    records = {line: record for line, record in table.items() if any(record.values())}
    if not records:
        raise DataError(f"{path}: holds no row; expected one for each image")
    if not any(record.get("") for record in records.values()):  # a column that a spreadsheet has and nobody filled
        for record in records.values():
            record.pop("", None)
    return records


def csv_records(path: Path) -> Records:
    """Return the rows of a CSV file as text by their lines; a row of several lines goes by its last.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no text, two columns have one name, or a row has another number of cells.
        csv.Error: It is no CSV.
    """
    text = _decoded(path.read_bytes())
    said = _SAYS_SEPARATOR.match(text)
    text = text[said.end() :] if said else text
    separator = said[1] if said else max(_SEPARATORS, key=text.partition("\n")[0].count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    _check_header([name.strip() for name in reader.fieldnames or ()])
    records: Records = {}
    for record in reader:
        line = reader.line_num + bool(said)
        if None in record or None in record.values():
            raise ValueError(
                f"line {line} has another number of cells than the first line; a cell that holds "
                f"{separator!r} stands in double quotes"
            )
        records[line] = {name.strip(): value.strip() for name, value in record.items()}
    return records


def _decoded(content: bytes) -> str:
    encoding = next((encoding for mark, encoding in _MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(f"its text is not in UTF-8, at byte {error.start}; save it as CSV UTF-8") from error
    if "\0" in text:
        raise ValueError("its text is not in UTF-8, or no text; save it as CSV UTF-8")
    return text


def _from_parquet(path: Path) -> Records:
    from pyarrow.parquet import read_table as read

    table = read(path)
    _check_header(table.column_names)
    rows: Sequence[Mapping[str, object]] = table.to_pylist()
    return {line: {name: _text(value) for name, value in row.items()} for line, row in enumerate(rows, start=2)}


def _text(value: object) -> str:
    is_missing = value is None or (isinstance(value, float) and math.isnan(value))
    return "" if is_missing else str(value).strip()


def _check_header(names: Sequence[str]) -> None:
    twice = next((name for name, count in Counter(names).items() if name and count > 1), None)
    if twice is not None:
        raise ValueError(f"two columns are called '{twice}'")
