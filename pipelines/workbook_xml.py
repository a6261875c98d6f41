"""The XML of a workbook: what its parts are called, and how tables, texts and formats are spelled in them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

HEADER_STYLE = 1
"""Style of headers; the number formats have those that follow."""

_NAMED = "http://schemas.openxmlformats.org"
_SHEETS, _PACKAGE = f"{_NAMED}/spreadsheetml/2006/main", f"{_NAMED}/package/2006"
_LINKS = f"{_NAMED}/officeDocument/2006/relationships"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

# Markup; what XML cannot hold, as _xHHHH_, and an underscore that would be read so; and the carriage return,
# which readers of XML take for a line feed unless it is spelled out.
_SPECIAL = re.compile('[&<>"\r\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4})')
_SPELLED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"}


@dataclass(frozen=True)
class Outline:
    """A sheet without its cells.

    Parameters
    ----------
    name : str
        On its tab.
    widths : sequence of float
        Of its columns, in characters.
    rows : int
        Its header included.
    """

    name: str
    widths: Sequence[float]
    rows: int

    @property
    def area(self) -> str:
        """All its cells."""
        return f"A1:{letters(len(self.widths) - 1)}{self.rows}"


def spelled(text: str) -> str:
    r"""Spell any text so that readers of the file get it back.

    Examples
    --------
    >>> spelled("a < b"), spelled("\x00"), spelled("_x0041_")
    ('a &lt; b', '_x0000_', '_x005F_x0041_')
    """
    return _SPECIAL.sub(lambda found: _SPELLED.get(found[0]) or f"_x{ord(found[0]):04X}_", text)


def letters(place: int) -> str:
    """Name a column by its place, counted from 0.

    Examples
    --------
    >>> letters(0), letters(25), letters(26)
    ('A', 'Z', 'AA')
    """
    before, last = divmod(place, 26)
    return (letters(before - 1) if before else "") + chr(ord("A") + last)


def start_of_sheet(outline: Outline) -> str:
    """Write what comes before the rows."""
    columns = "".join(
        f'<col min="{n}" max="{n}" width="{width}" customWidth="1"/>'
        for n, width in enumerate(outline.widths, start=1)
    )
    pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    return (
        f'{_HEAD}<worksheet xmlns="{_SHEETS}"><dimension ref="{outline.area}"/>'
        f'<sheetViews><sheetView workbookViewId="0">{pane}</sheetView></sheetViews>'
        f'<sheetFormatPr defaultRowHeight="15"/><cols>{columns}</cols><sheetData>'
    )


def end_of_sheet(outline: Outline) -> str:
    """Write what comes after the rows."""
    return f'</sheetData><autoFilter ref="{outline.area}"/></worksheet>'


def cells(column: str, first: int, style: int, values: Sequence[float], *, are_texts: bool) -> list[str]:
    """Write cells of one column, from row `first` on; none where the value is not a number.

    Texts are given by their place among those of the workbook.
    """
    mark = f'" s="{style}"' + (' t="s"' if are_texts else "")
    return [
        f'<c r="{column}{n}{mark}><v>{value:.15g}</v></c>' if value == value else ""  # noqa: PLR0124 - NaN
        for n, value in enumerate(values, first)
    ]


def rows(first: int, columns: Sequence[Sequence[str]]) -> str:
    """Put the cells of columns into rows, from row `first` on."""
    return "".join(
        f'<row r="{n}">{"".join(row)}</row>' for n, row in enumerate(zip(*columns, strict=True), first)
    )


def shared_texts(texts: Sequence[str]) -> Iterator[str]:
    """Write the texts of a workbook, in pieces."""
    yield f'{_HEAD}<sst xmlns="{_SHEETS}" count="{len(texts)}" uniqueCount="{len(texts)}">'
    for text in texts:
        yield f'<si><t xml:space="preserve">{spelled(text)}</t></si>'
    yield "</sst>"


def frame(sheets: Sequence[Outline], formats: Sequence[str]) -> dict[str, str]:
    """Write the parts that hold the others together."""
    files = [f"worksheets/sheet{n}.xml" for n in range(1, len(sheets) + 1)]
    targets = {**{f"rId{n}": file for n, file in enumerate(files, start=1)}, "styles": "styles.xml",
               "texts": "sharedStrings.xml"}  # fmt: skip
    kinds = {
        "/xl/workbook.xml": "sheet.main",
        "/xl/styles.xml": "styles",
        "/xl/sharedStrings.xml": "sharedStrings",
    }
    kinds |= {f"/xl/{file}": "worksheet" for file in files}
    return {
        "[Content_Types].xml": _content_types(kinds),
        "_rels/.rels": _links({"rId1": "xl/workbook.xml"}),
        "xl/workbook.xml": _workbook(sheets),
        "xl/_rels/workbook.xml.rels": _links(targets),
        "xl/styles.xml": _styles(formats),
    }


def _content_types(kinds: dict[str, str]) -> str:
    parts = "".join(
        f'<Override PartName="{part}" ContentType="{_KIND}.{kind}+xml"/>' for part, kind in kinds.items()
    )
    relations = "application/vnd.openxmlformats-package.relationships+xml"
    defaults = f'<Default Extension="rels" ContentType="{relations}"/>'
    defaults += '<Default Extension="xml" ContentType="application/xml"/>'
    return f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">{defaults}{parts}</Types>'


def _links(targets: dict[str, str]) -> str:
    """Say what a part is made of; the kind of each is in its name."""
    found = "".join(
        f'<Relationship Id="{name}" Type="{_LINKS}/{_link_kind(file)}" Target="{file}"/>'
        for name, file in targets.items()
    )
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{found}</Relationships>'


def _link_kind(file: str) -> str:
    if file.startswith("worksheets/"):
        return "worksheet"
    return {"xl/workbook.xml": "officeDocument", "styles.xml": "styles"}.get(file, "sharedStrings")


def _workbook(sheets: Sequence[Outline]) -> str:
    listed, filters = "", ""
    for n, sheet in enumerate(sheets):
        name = spelled(sheet.name)
        listed += f'<sheet name="{name}" sheetId="{n + 1}" r:id="rId{n + 1}"/>'
        area = re.sub(r"([A-Z]+)(\d+)", r"$\1$\2", sheet.area)
        quoted = name.replace("'", "''")
        filters += f'<definedName name="_xlnm._FilterDatabase" localSheetId="{n}" hidden="1">'
        filters += f"'{quoted}'!{area}</definedName>"
    return (
        f'{_HEAD}<workbook xmlns="{_SHEETS}" xmlns:r="{_LINKS}"><bookViews><workbookView/></bookViews>'
        f"<sheets>{listed}</sheets><definedNames>{filters}</definedNames></workbook>"
    )


def _styles(formats: Sequence[str]) -> str:
    first = 164  # numbers below are those of formats that every program brings along
    codes = "".join(
        f'<numFmt numFmtId="{n}" formatCode="{spelled(f)}"/>' for n, f in enumerate(formats, first)
    )
    plain = '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    bold = '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    each = "".join(
        f'<xf numFmtId="{n}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        for n in range(first, first + len(formats))
    )
    font = '<sz val="11"/><name val="Calibri"/><family val="2"/>'
    return (
        f'{_HEAD}<styleSheet xmlns="{_SHEETS}"><numFmts count="{len(formats)}">{codes}</numFmts>'
        f'<fonts count="2"><font>{font}</font><font><b/>{font}</font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        f'<cellXfs count="{len(formats) + 2}">{plain}{bold}{each}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )
