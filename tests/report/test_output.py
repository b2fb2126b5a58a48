"""Results are written whole or not at all, and nothing foreign is ever replaced."""

from __future__ import annotations

import pytest

from semiindex.exceptions import InvalidDataError
from semiindex.report import output
from semiindex.report.output import check_folder, new_folder, write_file


def test_a_new_folder_appears_complete(tmp_path):
    target = tmp_path / "out"
    with new_folder(target, overwrite=False) as folder:
        (folder / "model.json").write_text("new")
        assert not target.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (target / "model.json").read_text() == "new"


def write_half(target):
    with new_folder(target, overwrite=True) as folder:
        (folder / "model.json").write_text("half")
        raise KeyError("half way")


def test_a_failure_leaves_nothing(tmp_path):
    with pytest.raises(KeyError, match="half way"):
        write_half(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_keeps_the_old_results(tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    (target / "model.json").write_text("old")
    with pytest.raises(KeyError, match="half way"):
        write_half(target)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (target / "model.json").read_text() == "old"


def test_old_results_come_back_if_the_last_step_fails(tmp_path, monkeypatch):
    target = tmp_path / "out"
    target.mkdir()
    (target / "model.json").write_text("old")
    rename = output.Path.rename

    def failing(self, other):
        if self.name.endswith(".partial"):
            raise OSError("disk on fire")
        return rename(self, other)

    monkeypatch.setattr(output.Path, "rename", failing)
    with pytest.raises(OSError, match="disk on fire"), new_folder(target, overwrite=True) as folder:
        (folder / "model.json").write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (target / "model.json").read_text() == "old"


def test_overwriting_replaces_everything(tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    (target / "link.csv").write_text("old")
    with new_folder(target, overwrite=True) as folder:
        (folder / "model.json").write_text("new")
    assert [path.name for path in target.iterdir()] == ["model.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_is_used(tmp_path):
    (tmp_path / "out").mkdir()
    with new_folder(tmp_path / "out", overwrite=False) as folder:
        (folder / "model.json").write_text("new")
    assert (tmp_path / "out" / "model.json").exists()


@pytest.mark.parametrize("overwrite", [False, True])
def test_folders_that_are_refused(tmp_path, monkeypatch, overwrite):
    (tmp_path / "file").write_text("")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").write_text("")
    refused = {
        "file": "is a file",
        "no/where": "there is no folder",
        "thesis": r"holds other files \(chapter1.tex\), which are never replaced",
    }
    for name, message in refused.items():
        with pytest.raises(InvalidDataError, match=message):
            check_folder(tmp_path / name, overwrite=overwrite)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(InvalidDataError, match="is the current folder"):
        check_folder(output.Path("."), overwrite=overwrite)


def test_earlier_results_are_not_replaced_silently(tmp_path):
    (tmp_path / "link.csv").write_text("")
    with pytest.raises(InvalidDataError, match="earlier run; name another folder, or add --over"):
        check_folder(tmp_path, overwrite=False)
    check_folder(tmp_path, overwrite=True)


def test_single_files(tmp_path):
    target = tmp_path / "p.csv"

    def failing(path):
        path.write_text("half")
        raise KeyError("half way")

    with pytest.raises(KeyError, match="half way"):
        write_file(target, failing, overwrite=False)
    assert list(tmp_path.iterdir()) == []
    write_file(target, lambda path: path.write_text("one") and None, overwrite=False)
    with pytest.raises(InvalidDataError, match="exists; name another file"):
        write_file(target, lambda path: path.write_text("two") and None, overwrite=False)
    write_file(target, lambda path: path.write_text("two") and None, overwrite=True)
    assert target.read_text() == "two"
    with pytest.raises(InvalidDataError, match="is a folder; name a file"):
        write_file(tmp_path, failing, overwrite=True)
    with pytest.raises(InvalidDataError, match="there is no folder"):
        write_file(tmp_path / "no" / "p.csv", failing, overwrite=True)
