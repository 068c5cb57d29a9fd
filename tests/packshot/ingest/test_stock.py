from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.ingest.manifest import Manifest, read_manifest
from packshot.ingest.stock import OTHER_TABLE, StockedFile, manifest_among, take_stock


def files(*paths, **hashes):
    return {path: StockedFile(sha256=hashes.get(path, path), size_bytes=1) for path in paths}


def manifest(*rows):
    return read_manifest(("file,sku,reference\n" + "\n".join(rows)).encode(), name="manifest.csv")


def test_ready_manifest_sidecars_and_system_files_are_no_shots():
    stock = take_stock(
        files("READY", "manifest.csv", "a.jpg", "a.xmp", ".DS_Store", "x/Thumbs.db", "__MACOSX/._a.jpg"), None
    )
    assert stock.shots == ("a.jpg",)
    assert set(stock.ignored) == {"READY", "manifest.csv", "a.xmp", ".DS_Store", "x/Thumbs.db", "__MACOSX/._a.jpg"}


@pytest.mark.parametrize("name", [" .jpg", "   .jpg", "set/ .jpg", "set/\u3000.jpg", "-.jpg"])
def test_a_photograph_with_a_blank_name_is_a_shot_and_no_file_of_a_system(name):
    """It was left out of the batch as if an operating system had left it behind."""
    assert take_stock(files("a.jpg", name), None).shots == tuple(sorted(("a.jpg", name)))
    assert take_stock(files("a.jpg", "._a.jpg", ".jpg", "x/.hidden"), None).shots == ("a.jpg",)


def test_rows_without_file_and_files_without_row_are_reported():
    stock = take_stock(files("a.jpg", "b.jpg"), manifest("a.jpg,A,", "c.jpg,C,"))
    assert stock.rows_without_file == ("c.jpg",)
    assert stock.files_without_row == ("b.jpg",)
    assert stock.rows["a.jpg"]["sku"] == "A"


def test_different_names_that_become_one_sku_are_reported():
    names = (
        "Кружка-1.jpg",
        "Kruzhka-1.jpg",
        "Café.jpg",
        "x/Cafe.jpg",
        "B.jpg",
        "b.tif",
        "y/B.jpg",
        "C 1.jpg",
        "C-1.jpg",
    )
    assert take_stock(files(*names), None).alike == {
        "Kruzhka-1": ("Kruzhka-1.jpg", "Кружка-1.jpg"),
        "Cafe": ("Café.jpg", "x/Cafe.jpg"),
        "C-1": ("C 1.jpg", "C-1.jpg"),
    }
    named = manifest("Кружка-1.jpg,K1,", "Café.jpg,CAF,", "C-1.jpg,C1,")
    assert take_stock(files(*names), named).alike == {}
    decomposed = normalize("NFD", "Café.tif")
    assert take_stock(files("Café.jpg", decomposed), None).alike == {}


def test_without_a_manifest_no_file_lacks_a_row():
    assert take_stock(files("a.jpg"), None).files_without_row == ()


def test_rows_find_files_in_other_case_and_in_folders():
    stock = take_stock(files("Set1/IMG_1.JPG", "b.jpg"), manifest("img_1.jpg,A,", "B.JPG,B,"))
    assert {path: row["sku"] for path, row in stock.rows.items()} == {"Set1/IMG_1.JPG": "A", "b.jpg": "B"}
    assert stock.rows_without_file == ()


def test_a_bare_name_that_two_files_have_finds_neither():
    stock = take_stock(files("1/a.jpg", "2/a.jpg"), manifest("a.jpg,A,"))
    assert stock.rows == {}
    assert stock.rows_without_file == ("a.jpg",)


def test_the_same_bytes_twice_are_noted_and_both_stay():
    stock = take_stock({**files("a.jpg", "c.jpg"), "b.jpg": StockedFile(sha256="a.jpg", size_bytes=1)}, None)
    assert stock.duplicates == (("a.jpg", "b.jpg"),)
    assert stock.shots == ("a.jpg", "b.jpg", "c.jpg")


def test_a_colour_reference_is_no_shot_unless_it_has_its_own_row():
    stock = take_stock(files("a.jpg", "ref.jpg"), manifest("a.jpg,A,ref.jpg"))
    assert stock.shots == ("a.jpg",)
    assert "reference" in stock.ignored["ref.jpg"]
    stock = take_stock(files("a.jpg", "ref.jpg"), manifest("a.jpg,A,ref.jpg", "ref.jpg,R,"))
    assert stock.shots == ("a.jpg", "ref.jpg")


names = st.sampled_from(["a.jpg", "A.jpg", "x/a.jpg", "b.png", "READY", "manifest.csv", ".hidden", "x/c.tif", "c.xmp"])


@given(st.sets(names), st.sets(names))
def test_every_file_and_every_row_is_accounted_for(uploaded, named):
    stock = take_stock(files(*uploaded), Manifest(rows={name: {"file": name} for name in named}))
    assert set(stock.shots) | set(stock.ignored) == uploaded
    assert not set(stock.shots) & set(stock.ignored)
    assert set(stock.rows) | set(stock.files_without_row) == set(stock.shots)
    assert set(stock.rows_without_file) <= named


def test_a_sidecar_belongs_to_the_photograph_that_it_is_named_after():
    stock = take_stock(files("a.NEF", "a.NEF.xmp", "A.xmp", "b.jpg", "B.XMP", "c.jpg", "x/c.xmp"), None)
    assert stock.sidecars == {"a.NEF": "a.NEF.xmp", "b.jpg": "B.XMP"}
    assert set(stock.shots) == {"a.NEF", "b.jpg", "c.jpg"}


@pytest.mark.parametrize("name", ["manifest.csv", "Manifest.csv", "MANIFEST.CSV", "manifest.xlsx", "Manifest.TSV"])
def test_the_manifest_is_found_whatever_its_case_and_kind(name):
    assert manifest_among(["a.jpg", name, "sub/manifest.csv"]) == name


def test_of_several_manifests_one_counts_and_other_tables_are_left_out():
    files = {
        path: StockedFile(sha256="0" * 64, size_bytes=1)
        for path in ("a.jpg", "Manifest.csv", "prices.xlsx", "manifest.csv")
    }
    found = take_stock(files, None)
    assert found.shots == ("a.jpg",)
    assert found.ignored["manifest.csv"] == "the manifest"
    assert found.ignored["Manifest.csv"] == found.ignored["prices.xlsx"] == OTHER_TABLE


@pytest.mark.parametrize("name", ["ref.jpg", "REF.JPG", ".\\ref.jpg"])
def test_a_file_that_is_shot_and_reference_is_a_shot_and_told(name):
    stock = take_stock(
        files("a.jpg", "b.jpg", "ref.jpg", "c.jpg"), manifest(f"a.jpg,A,{name}", "ref.jpg,R,", "c.jpg,C,c.jpg")
    )
    assert stock.shots == ("a.jpg", "b.jpg", "c.jpg", "ref.jpg")
    assert stock.shots_as_references == ("c.jpg", "ref.jpg")
    alone = take_stock(files("a.jpg", "ref.jpg"), manifest("a.jpg,A,ref.jpg", "b.jpg,B,#aa0000"))
    assert alone.shots_as_references == ()
    assert alone.shots == ("a.jpg",)
