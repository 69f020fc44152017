"""What platforms and mail programs give, read as hand-ins: every layout packed and unpacked, with its odd siblings."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.course.intake import Choices, Intake, take_in
from grader.course.intake.layouts import LAYOUTS
from grader.course.intake.listing import Asked, Listing
from grader.model.errors import UsageError
from tests.course.intake.classes import LAB, contents, laid
from tests.labs.test_submission import zipped

CANVAS: dict[str, bytes | str] = {
    "doejane_1001_555_main.cf": "jane",
    "doejane_1001_556_access": "x",
    "mustermannmax_LATE_1002_557_work.zip": zipped({"max/main.cf": b"max"}),
    "zoe_1003_601_main.cf": "first",
    "zoe_1003_602_main-1.cf": "second",
    "anon_x7Yz9_603_main.cf": "somebody",
    "writer_1004_text.html": "<p>I did it</p>",
}
MOODLE: dict[str, bytes | str] = {
    "Jane Doe_3101_assignsubmission_file_/main.cf": "jane",
    "Jane Doe_3101_assignsubmission_file_/maps/access": "x",
    "Jane Doe_3101_assignsubmission_onlinetext_/onlinetext.html": "hello",
    "Max_Mustermann_3102_assignsubmission_file_/work.zip": zipped({"main.cf": b"max"}),
    "Zoë O'Hara_3103_assignsubmission_file_main.cf": "zoe",
}
METADATA = """\
---
submission_12:
  :submitters:
  - :name: Jane Doe
    :sid: '1001'
    :email: jane@example.edu
  :created_at: 2026-03-02 10:15:00.123456000 Z
  :score: 0.0
submission_13: !ruby/hash:ActiveSupport::HashWithIndifferentAccess
  :submitters:
  - :name: Max
    :email: max@example.edu
  - :name: Zoe
    :sid: 1003
  :created_at: 2026-03-02 11:15:00.123456000 Z
submission_14:
  :submitters:
  - :sid: '1001'
  :created_at: 2026-03-01 10:15:00.000000000 Z
"""
GRADESCOPE: dict[str, bytes | str] = {
    "assignment_77_export/submission_metadata.yml": METADATA,
    "assignment_77_export/submission_12/main.cf": "jane",
    "assignment_77_export/submission_13/deep/main.cf": "group",
    "assignment_77_export/submission_14/main.cf": "jane's first",
    "assignment_77_export/notes.pdf": "x",
}
MAIL: dict[str, bytes | str] = {
    "jane.doe@example.edu/main.cf": "jane",
    "max_m@cs.example.edu_main.cf": "max",
    "zoe@example.edu.zip": zipped({"main.cf": b"zoe"}),
}
ILIAS: dict[str, bytes | str] = {
    "Relay_lab_week_3/Submissions/Doe_Jane_jdoe_3101/main.cf": "jane",
    "Relay_lab_week_3/Submissions/Muster_Max_mmuster_3102/Verspaetete Abgabe - main.cf": "max",
    "Relay_lab_week_3/Submissions/Team_7/Zorn_Zoe_zzorn_3103/Late Submission - work.zip": zipped(
        {"main.cf": b"zoe"}
    ),
    "Relay_lab_week_3/Submissions/van_Dyk_Jan_jvd_3104/main.cf": "jan",
    "Relay_lab_week_3/Relay_lab_week_3.xlsx": "x",
}
CLASSROOM: dict[str, bytes | str] = {
    "relay-anna-lee/main.cf": "anna",
    "relay-anna-lee/.git/config": "x",
    "relay-ben/sub/main.cf": "ben",
    "relay-ben/.git/HEAD": "x",
}


@pytest.fixture(params=["download", "download.zip"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where a download lies, unpacked and as it comes."""
    return tmp_path / str(request.param)


def graded(taken: Intake) -> dict[str, str]:
    """The main.cf of each student."""
    return {
        student: contents(hand_in.source)["main.cf"].decode()
        for hand_in in taken.hand_ins
        for student in hand_in.students
    }


def test_canvas(place: Path) -> None:
    taken = take_in([laid(place, CANVAS)], LAB, Path("out"))
    late = {hand_in.student for hand_in in taken.hand_ins if hand_in.late}
    by = {hand_in.student: hand_in for hand_in in taken.hand_ins}
    assert late == {"1002"}
    # What was typed into Canvas is a hand-in without files, which is refused as one.
    assert by.pop("1004").source == ()
    assert {student: contents(one.source)["main.cf"] for student, one in by.items()} == {
        "1001": b"jane", "1002": b"max", "1003": b"second", "x7Yz9": b"somebody",
    }  # fmt: skip
    assert sorted(contents(by["1001"].source)) == ["access", "main.cf"]
    twice = ("main.cf was uploaded 2 times (main.cf, main-1.cf): the last is graded.",)
    assert {one.student: one.notes for one in by.values() if one.notes} == {"1003": twice}
    assert by["1003"].remarks == (f"1003: {twice[0]}",)
    assert any("writer_1004_text.html" in sentence for sentence in taken.said())


def test_moodle(place: Path) -> None:
    taken = take_in([laid(place, MOODLE)], LAB, Path("out"))
    assert graded(taken) == {"3101": "jane", "3102": "max", "3103": "zoe"}
    assert any("onlinetext.html" in sentence for sentence in taken.said())


def test_gradescope(place: Path) -> None:
    taken = take_in([laid(place, GRADESCOPE)], LAB, Path("out"))
    assert graded(taken) == {"1001": "jane", "max@example.edu": "group", "1003": "group"}
    [group] = [hand_in for hand_in in taken.hand_ins if hand_in.others]
    assert group.students == ("max@example.edu", "1003")
    assert {hand_in.time[:16] for hand_in in taken.hand_ins} == {"2026-03-02T10:15", "2026-03-02T11:15"}
    said = " ".join(taken.said())
    assert "submission_14" in said
    assert "notes.pdf" in said


def test_an_export_of_gradescope_that_the_shell_took_apart(tmp_path: Path) -> None:
    laid(tmp_path, GRADESCOPE)
    taken = take_in(sorted((tmp_path / "assignment_77_export").iterdir()), LAB, Path("out"))
    assert graded(taken) == {"1001": "jane", "max@example.edu": "group", "1003": "group"}


@pytest.mark.parametrize(
    "damage", ["- [", "[]", "submission_12: 3", "a: !!python/object:os.system {}", "? [a]\n: b"]
)
def test_a_damaged_list_of_gradescope_is_refused(tmp_path: Path, damage: str) -> None:
    files = {**GRADESCOPE, "assignment_77_export/submission_metadata.yml": damage}
    with pytest.raises(UsageError, match="export") as error:
        take_in([laid(tmp_path / "export.zip", files)], LAB, Path("out"))
    assert "\n" not in str(error.value)


def test_attachments_of_mail(place: Path) -> None:
    taken = take_in([laid(place, MAIL)], LAB, Path("out"))
    assert graded(taken) == {
        "jane.doe@example.edu": "jane", "max_m@cs.example.edu": "max", "zoe@example.edu": "zoe",
    }  # fmt: skip


@pytest.mark.parametrize("apart", [False, True])
def test_repositories_of_a_classroom(tmp_path: Path, apart: bool) -> None:
    laid(tmp_path / "all", CLASSROOM)
    sources = sorted((tmp_path / "all").iterdir()) if apart else [tmp_path / "all"]
    taken = take_in(sources, LAB, Path("out"))
    assert graded(taken) == {"anna-lee": "anna", "ben": "ben"}
    assert all(".git" not in part.name for hand_in in taken.hand_ins for part in hand_in.source)  # type: ignore[union-attr]


def test_the_name_of_an_assignment_is_never_guessed(tmp_path: Path) -> None:
    laid(tmp_path, {name.replace("relay-", "hw-1-"): data for name, data in CLASSROOM.items()})
    sources = sorted(tmp_path.iterdir())
    assert set(graded(take_in(sources, LAB, Path("out")))) == {"hw-1-anna-lee", "hw-1-ben"}
    taken = take_in(sources, LAB, Path("out"), Choices(layout="classroom:hw-1"))
    assert graded(taken) == {"anna-lee": "anna", "ben": "ben"}


def test_a_layout_that_is_not_known_is_refused_with_the_names(place: Path) -> None:
    laid(place, {"Jane (submitted)/main.cf": "x", "Max (submitted)/main.cf": "y", "readme": "z"})
    with pytest.raises(UsageError, match=r"not understood: Jane \(submitted\)/.*--layout"):
        take_in([place], LAB, Path("out"))


def test_a_layout_that_was_named_and_is_another_is_refused_with_the_names(place: Path) -> None:
    with pytest.raises(
        UsageError, match="is not Canvas's download of submissions; not understood: Jane Doe_3101"
    ):
        take_in([laid(place, MOODLE)], LAB, Path("out"), Choices(layout="canvas"))


def test_a_layout_that_is_misspelt_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'canvas'"):
        take_in([tmp_path], LAB, Path("out"), Choices(layout="canvass"))


def test_a_student_s_own_names_make_no_download_of_a_class(tmp_path: Path) -> None:
    sources = [
        laid(tmp_path / "mallory.zip", {"doejane_1001_555_main.cf": "mine", "x_1002_556_main.cf": "mine"}),
        laid(tmp_path / "alice", {"main.cf": "alice"}),
    ]
    assert {hand_in.student for hand_in in take_in(sources, LAB, Path("out")).hand_ins} == {
        "mallory",
        "alice",
    }


FORGED: dict[str, dict[str, bytes | str]] = {
    # A name that its owner may choose, with somebody else's number in it.
    "canvas": {
        **CANVAS,
        "y_1001_777_z_1009_604_main.cf": "forged",
        "doejane_1001_1_z_1009_605_main.cf": "own",
    },
    "moodle": {
        **MOODLE,
        "Eve_3109_assignsubmission_file_/x_3101_assignsubmission_file_/main.cf": "forged",
        "Eve_3109_assignsubmission_file_x_3101_assignsubmission_file_main.cf": "forged",
        "Eve_3101_assignsubmission_file_x_3110_assignsubmission_file_/main.cf": "forged",
    },
    "gradescope": {
        **GRADESCOPE,
        "assignment_77_export/submission_13/submission_12/main.cf": "forged",
        "assignment_77_export/submission_13/submission_metadata.yml": "forged: {}",
    },
    "mail": {**MAIL, "eve@example.edu_jane.doe@example.edu_main.cf": "forged"},
}


@pytest.mark.parametrize("layout", FORGED)
def test_no_name_that_a_student_chooses_makes_a_hand_in_another_s(place: Path, layout: str) -> None:
    honest = {"canvas": CANVAS, "moodle": MOODLE, "gradescope": GRADESCOPE, "mail": MAIL}[layout]
    files = FORGED[layout]
    for folder, names in ((place.with_name("a" + place.name), honest), (place, files)):
        laid(folder, names)
    before = take_in([place.with_name("a" + place.name)], LAB, Path("out"))
    after = take_in([place], LAB, Path("out"))
    for hand_in in before.hand_ins:
        if layout == "gradescope" and hand_in.others:
            continue  # The forger's own.
        again = next(one for one in after.hand_ins if hand_in.student in one.students)
        assert [part.name for part in again.source] == [part.name for part in hand_in.source]  # type: ignore[union-attr]


def test_a_date_in_a_file_s_name_is_no_number_of_canvas(tmp_path: Path) -> None:
    files = {**CANVAS, "roebob_1005_609_relay_2026_11_28.zip": zipped({"main.cf": b"bob"})}
    taken = take_in([laid(tmp_path / "download.zip", files)], LAB, Path("out"))
    assert [one.student for one in taken.hand_ins if one.student == "1005"]


def test_a_folder_that_holds_the_files_is_a_hand_in(tmp_path: Path) -> None:
    source = laid(tmp_path / "alice", {"main.cf": "alice", "a_1_2_b": "x", "sub/main.cf": "old"})
    assert graded(take_in([source], LAB, Path("out"))) == {"alice": "alice"}


@pytest.mark.parametrize("layout", LAYOUTS)
@given(names=st.lists(st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=60), max_size=6))
def test_any_names_are_read_or_named(layout: str, names: list[str]) -> None:
    listing = Listing(Path("x"), dict.fromkeys(names, None))
    asked = Asked("relay", ["main.cf"], "")
    try:
        reading = LAYOUTS[layout].read(listing, asked)
    except UsageError:
        return
    used = {name for found in reading.found for _, name in found.files}
    assert used | set(reading.strays) == set(names)
    assert not used & set(reading.strays)


def test_ilias(place: Path) -> None:
    files = {name: data for name, data in ILIAS.items() if "Team" not in name}
    choices = Choices(layout="ilias")
    taken = take_in([laid(place, files)], LAB, Path("out"), choices)
    # Whose login it is where a name has an underscore, nobody guesses.
    assert graded(taken) == {"jdoe": "jane", "mmuster": "max", "van_Dyk_Jan_jvd_3104": "jan"}
    assert {one.student for one in taken.hand_ins if one.late} == {"mmuster"}
    assert any("xlsx" in sentence for sentence in taken.said())


def test_ilias_s_teams(place: Path) -> None:
    files = {name: data for name, data in ILIAS.items() if "Team" in name}
    taken = take_in([laid(place, files)], LAB, Path("out"), Choices(layout="ilias"))
    assert graded(taken) == {"zzorn": "zoe"}
    assert [one.late for one in taken.hand_ins] == [True]


def test_no_folder_is_taken_for_one_of_ilias_s_unasked(tmp_path: Path) -> None:
    sources = [laid(tmp_path / name, {"main.cf": "x"}) for name in ("anna_relay_hw_1", "ben_relay_hw_1")]
    assert set(graded(take_in(sources, LAB, Path("out")))) == {"anna_relay_hw_1", "ben_relay_hw_1"}
