import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.errors import ManifestError
from packshot.ingest.manifest import COLUMNS, plain_path, read_manifest
from tests.packshot.sheets.books import Formula, workbook


def codes(manifest):
    return [finding.code for finding in manifest.findings]


def read(text, encoding="utf-8"):
    return read_manifest(text.encode(encoding), name="manifest.csv")


def test_all_columns_are_read_as_text():
    manifest = read(
        ",".join(COLUMNS) + "\na.jpg,007,B000000001,04006381333931,rings,MAIN,s1,amazon,ref.jpg,path,hello\n"
    )
    assert manifest.rows["a.jpg"]["gtin"] == "04006381333931"
    assert manifest.rows["a.jpg"]["sku"] == "007"
    assert manifest.findings == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_encodings_and_separators_are_told_apart(encoding, separator):
    text = "file,sku,notes\nküche.jpg,A1,für Möbel\n".replace(",", separator)
    assert read(text, encoding).rows == {"küche.jpg": {"file": "küche.jpg", "sku": "A1", "notes": "für Möbel"}}


def test_titles_are_recognised_whatever_their_spelling():
    manifest = read("File Name;EAN;Product Type\na.jpg;4006381333931;rings\n")
    assert manifest.rows["a.jpg"] == {"file": "a.jpg", "gtin": "4006381333931", "category": "rings"}


def test_unknown_columns_are_kept_and_reported():
    manifest = read("file,sku,colour\na.jpg,A1,red\n")
    assert manifest.unknown_columns == ("colour",)
    assert manifest.rows["a.jpg"]["colour"] == "red"
    assert codes(manifest) == ["manifest_columns_unknown"]


def test_a_column_and_its_synonym_do_not_clash():
    manifest = read("gtin,ean,file\n1,2,a.jpg\n")
    assert manifest.rows["a.jpg"] == {"gtin": "1", "ean": "2", "file": "a.jpg"}


def test_a_gtin_that_a_spreadsheet_broke_is_not_used():
    manifest = read("file,gtin\na.jpg,4.00638E+12\n")
    assert "gtin" not in manifest.rows["a.jpg"]
    assert codes(manifest) == ["gtin_damaged"]


def test_spreadsheet_quoting_is_taken_off():
    manifest = read('file,sku,gtin\na.jpg,\'007,"=""04006381333931"""\n')
    assert manifest.rows["a.jpg"]["sku"] == "007"
    assert manifest.rows["a.jpg"]["gtin"] == "04006381333931"


def test_rows_without_file_and_repeated_rows_are_reported():
    manifest = read("file,sku\n,A1\na.jpg,A2\na.jpg,A3\na.jpg,A2\n,\n")
    assert manifest.rows["a.jpg"]["sku"] == "A2"
    assert codes(manifest) == ["manifest_row_without_file", "manifest_row_repeated"]


@given(
    above=st.sampled_from(["", "Spring\n", "Spring\n\n"]), before=st.lists(st.sampled_from(["blank", "long", "row"]))
)
@pytest.mark.parametrize("excel", [False, True])
def test_a_finding_names_the_row_by_its_number_in_the_file(excel, above, before):
    between = {"blank": [], "long": ["b.jpg", "B1", "extra"], "row": ["a.jpg", "A1"]}
    rows = [*([line] if line else [] for line in above.split("\n")[:-1]), ["file", "sku"]]
    rows += [*(between[one] for one in before), ["", "lost"], ["z.jpg", "Z1"]]
    data = workbook(rows) if excel else "\n".join(",".join(one) for one in rows).encode()
    (finding,) = [one for one in read_manifest(data, name="m").findings if one.code == "manifest_row_without_file"]
    assert finding.message == f"Row {len(rows) - 1} names no file."


def test_lines_with_too_many_values_are_counted_not_swallowed():
    manifest = read("file,sku\na.jpg,A1\nb.jpg,B1,extra,more\nc.jpg,C1\n")
    assert set(manifest.rows) == {"a.jpg", "c.jpg"}
    assert codes(manifest) == ["manifest_lines_broken"]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "column"),
        (b"sku,view\nA,MAIN\n", "column 'file'"),
        (b"PK\x03\x04rest", "Excel"),
        (b"\x00\x01\x02\xff" * 50, "no text"),
        (b"\xff\xfea", "no text"),
    ],
)
def test_what_is_no_manifest_says_why(data, found):
    with pytest.raises(ManifestError, match=found):
        read_manifest(data, name="manifest.csv")


@given(st.binary(max_size=400))
def test_any_bytes_are_a_manifest_or_an_error(data):
    try:
        manifest = read_manifest(data, name="manifest.csv")
    except ManifestError:
        return
    assert all(path == plain_path(path) for path in manifest.rows)


@given(st.text(st.characters(exclude_characters='\0"', exclude_categories=["Cs"]), max_size=400))
def test_any_text_after_the_titles_is_read(text):
    manifest = read("file,sku\n" + text)
    assert all(row["file"] for row in manifest.rows.values())


def test_windows_paths_become_paths_with_slashes():
    assert plain_path(".\\set 1\\a.jpg") == "set 1/a.jpg"


HEADS = {
    "en": ("File name", "SKU", "EAN", "Category", "View"),
    "de": ("Dateiname", "Artikelnummer", "EAN", "Kategorie", "Ansicht"),
    "fr": ("Fichier", "Référence article", "Code-barres", "Catégorie", "Vue"),
    "es": ("Archivo", "Código", "Código de barras", "Categoría", "Vista"),
    "it": ("Nome file", "Codice articolo", "Codice a barre", "Categoria", "Vista"),
    "nl": ("Bestandsnaam", "Artikelcode", "Streepjescode", "Categorie", "Weergave"),
    "pl": ("Zdjęcie", "Kod produktu", "Kod kreskowy", "Kategoria", "Ujęcie"),
    "pt": ("Ficheiro", "Código do artigo", "Código de barras", "Categoria", "Vista"),
}
ROW = ("Küche weiß.jpg", "007", "4006381333931", "rings", "MAIN")


@given(
    heads=st.sampled_from(sorted(HEADS)),
    separator=st.sampled_from(",;\t|"),
    encoded=st.sampled_from(
        [
            *(("utf-8", ""), ("utf-8-sig", ""), ("utf-16", ""), ("utf-16-le", ""), ("utf-16-be", ""), ("cp1252", "")),
            *(("mac_roman", "Mac Roman"), ("cp850", "DOS code page 850")),
        ]
    ),
    above=st.sampled_from(["", "sep", "Our spring products", "Spring\n\nfile list"]),
)
def test_every_dialect_of_a_manifest_says_the_same(heads, separator, encoded, above):
    encoding, said = ("utf-8", "") if heads == "pl" else encoded
    above = f"sep={separator}" if above == "sep" else above
    lines = [*([above] if above else []), separator.join(HEADS[heads]), separator.join(ROW)]
    found = read("\r\n".join(lines), encoding)
    assert found.rows == {"Küche weiß.jpg": dict(zip(("file", "sku", "gtin", "category", "view"), ROW, strict=True))}
    assert [one.code for one in found.findings] == (["manifest_encoding_guessed"] if said else [])
    assert all(f"it is {said}" in one.message for one in found.findings)


@pytest.mark.parametrize(
    "file", ["Fichier", "Nom du fichier", "Archivo", "Nombre de archivo", "Nome file", "Immagine", "Ficheiro"]
)
@pytest.mark.parametrize("product", ["Référence", "REFERENCE", "Réf."])
def test_a_reference_beside_a_romance_head_is_the_product_and_beside_an_english_one_the_colour(file, product):
    assert read(f"{file};{product}\nA1.jpg;007").rows["A1.jpg"]["sku"] == "007"
    assert "reference" not in read(f"{file};{product}\nA1.jpg;007").rows["A1.jpg"]
    both = read(f"{file};SKU;Référence\nA1.jpg;A1;#aa0000").rows["A1.jpg"]
    assert (both["sku"], both["reference"]) == ("A1", "#aa0000")
    assert read("file;reference\nA1.jpg;#aa0000").rows["A1.jpg"]["reference"] == "#aa0000"


def test_empty_columns_without_a_head_are_no_unknown_columns():
    assert read("file,sku,,\nA1.jpg,A1,,\n,,,\n").findings == ()
    assert read("file,sku,\nA1.jpg,A1,red\n").unknown_columns == ("column_2",)


def test_an_excel_workbook_is_a_manifest():
    rows = [["Spring"], ["Datei", "Artikelnummer", "EAN"], ["a.jpg", "007", 4006381333931], ["b.jpg", "=1+1", None]]
    found = read_manifest(workbook(rows), name="manifest.xlsx")
    assert found.rows["a.jpg"] == {"file": "a.jpg", "sku": "007", "gtin": "4006381333931"}
    assert found.rows["b.jpg"]["sku"] == "=1+1"


def test_a_doubled_column_counts_once_and_is_reported():
    found = read("file,sku,file,sku\na.jpg,A1,b.jpg,A2\n")
    assert found.rows["a.jpg"]["sku"] == "A1"
    assert found.unknown_columns == ("file_2", "sku_3")


@pytest.mark.parametrize(
    ("column", "text", "said"),
    [
        ("gtin", "1.23457E+11", "lost digits"),
        ("sku", "1,23457E+11", "lost digits"),
        ("gtin", "36000291452", "lost leading noughts (of 036000291452?)"),
        ("gtin", "306406152", "lost leading noughts (of 9780306406157?)"),
    ],
)
def test_an_identifier_that_a_spreadsheet_damaged_is_refused_by_name(column, text, said):
    found = read(f"file;{column}\na.jpg;{text}\n")
    assert column not in found.rows["a.jpg"]
    assert codes(found) == [f"{column}_damaged"]
    assert said in found.findings[0].message


@pytest.mark.parametrize("text", ["1E5", "12E10", "007", "1-2"])
def test_a_sku_that_only_looks_like_a_number_is_kept(text):
    assert read(f"file,sku\na.jpg,{text}\n").rows["a.jpg"]["sku"] == text


def test_formulas_without_results_and_further_sheets_are_reported():
    rows = [["file", "sku", "notes"], ["a.jpg", Formula("B9"), None], ["b.jpg", Formula("B9", "B1"), None]]
    found = read_manifest(workbook(rows, [["file", "sku", "notes"], ["c.jpg", "C1", None]]), name="m.xlsx")
    assert [row.get("sku") for row in found.rows.values()] == [None, "B1"]
    assert codes(found) == ["manifest_formulas_open", "manifest_sheets_left_out"]
    assert "B2" in found.findings[0].message
    assert "'S2' (1 row)" in found.findings[1].message


@pytest.mark.parametrize(
    "formula", ["=VLOOKUP(A2;X:Y;2;0)", '=CONCAT("A";B2)', "=svERWEIS (A2;B:C;2)", "=_xlfn.XLOOKUP(1)"]
)
@pytest.mark.parametrize("column", ["sku", "gtin"])
def test_a_formula_in_place_of_its_result_is_no_identifier(formula, column):
    quoted = '"' + formula.replace('"', '""') + '"'
    found = read(f"file\t{column}\na.jpg\t{quoted}\n")
    assert column not in found.rows["a.jpg"]
    assert codes(found) == [f"{column}_damaged"]
    assert "formula" in found.findings[0].message


@pytest.mark.parametrize("name", ["=A1", "=1+1", "-A1", "+4", "@home", "=(new)", "A(1)", "-K(2)"])
def test_a_name_that_only_looks_like_a_formula_is_a_sku(name):
    assert read(f"file;sku\na.jpg;{name}\n").rows["a.jpg"]["sku"] == name
