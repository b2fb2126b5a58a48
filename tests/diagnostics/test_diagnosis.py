"""The page of all diagnostics: what runs, what is skipped and why, and whether a reader can act on it."""

from __future__ import annotations

import time
import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from semiindex import (
    KernelIndex,
    KnownLinkPolicy,
    Menu,
    Multipliers,
    OrthogonalPolicy,
    PreferencePairs,
    ProfiledLinkPolicy,
    RankingPolicy,
    antisymmetry_test,
    diagnose,
    discrimination,
    index_test,
    link_test,
)
from semiindex.diagnostics import Diagnosis, Diagnostic, examination
from semiindex.diagnostics.base import LEVELS
from semiindex.diagnostics.comparison_graph import ComparisonGraph
from semiindex.diagnostics.examined_fit import ExaminedFit
from semiindex.diagnostics.findings import Finding, finding_of
from semiindex.diagnostics.held_out_order import held_out_discrimination, held_out_predictions
from semiindex.diagnostics.multistart import MultistartSpread
from semiindex.diagnostics.page_checks import CHECKS, Check
from semiindex.diagnostics.refits import RefitData
from semiindex.diagnostics.verdicts import answers
from semiindex.exceptions import DataWarning, InvalidDataError, InvalidParameterError, SemiindexWarning

KEYS = [check.key for check in CHECKS]


def verdicts(diagnosis: Diagnosis) -> dict[str, str]:
    return {answer.question: answer.verdict for answer in diagnosis.answers}


def menu(d: int = 3) -> Menu:
    return Menu.from_array(np.random.default_rng(5).normal(size=(20, 3, d)))


@pytest.fixture
def quick(monkeypatch) -> None:
    """Leaves out the learning curve, the one that takes seconds."""
    few = tuple(check for check in CHECKS if check.key != "learning_curve")
    monkeypatch.setattr(examination, "CHECKS", few)


@pytest.fixture(scope="module")
def page(logistic) -> Diagnosis:
    """A logistic fit to logistic labels, with a menu: everything applies, and nothing is wrong."""
    X, y = logistic
    return diagnose(KnownLinkPolicy().fit(X, y), X, menu(), y, time_budget=600)


@pytest.fixture(scope="module")
def wrong_link(flipped) -> Diagnosis:
    """A logistic fit to labels that are random in four cases out of ten."""
    X, y = flipped
    return diagnose(KnownLinkPolicy().fit(X, y), X, y=y, time_budget=600)


def test_where_all_is_well_the_page_says_so_and_everything_ran(page) -> None:
    assert page.level == "fine"
    assert sorted(page) == sorted(KEYS)
    assert page.skipped == ()
    assert verdicts(page) == dict.fromkeys(("direction", "link", "policy"), "yes")
    assert page.next_steps == (
        "Nothing has to be changed. Report coefficients with standard errors (infer).",
    )
    assert "No raters were given" in page.notes[0]


def test_single_results_are_those_of_the_functions(page, logistic) -> None:
    X, y = logistic
    model = KnownLinkPolicy().fit(X, y)
    draws = Multipliers(n_draws=999, random_state=0)
    assert page["link"].p_value == link_test(model, X, y, method="score", multipliers=draws).p_value
    assert page["antisymmetry"].p_value == antisymmetry_test(model, X, y, multipliers=draws).p_value
    assert str(page["index"]) == str(index_test(model, X, y, multipliers=draws))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_page_for_any_number_of_jobs(wrong_link, flipped) -> None:
    X, y = flipped
    again = diagnose(KnownLinkPolicy().fit(X, y), X, y=y, time_budget=900, n_jobs=2)
    assert str(again) == str(wrong_link)
    assert str(again["learning_curve"]) == str(wrong_link["learning_curve"])


def test_the_same_seed_gives_the_same_page(quick, flipped) -> None:
    X, y = flipped
    model = KnownLinkPolicy().fit(X, y)
    first, second = (diagnose(model, X, y=y, time_budget=budget) for budget in (60, 600))
    assert str(first) == str(second)
    other = held_out_discrimination(
        model, held_out_predictions(model, RefitData.read(X, y, None, None), random_state=1)
    )
    assert other.auc != first["discrimination"].auc


def test_a_wrong_link_is_named_first_with_its_remedy(wrong_link) -> None:
    assert wrong_link.level == "warning"
    assert verdicts(wrong_link)["link"] == "no"
    assert verdicts(wrong_link)["policy"] in ("with care", "no")
    assert "link" in [section.key for section in wrong_link.sections if section.result.level == "warning"]
    assert wrong_link.next_steps[0].startswith("Do not assume a link: fit ProfiledLinkPolicy")
    assert len(set(wrong_link.next_steps)) == len(wrong_link.next_steps)
    assert "how far it is from the best one was not examined" in wrong_link.answers[2].sentence
    left = {item.key: item.reason for item in wrong_link.skipped}
    assert left == {"policy_error": "no menu was given: pass the options that a policy would choose among"}


def test_a_fit_that_learns_the_link_needs_no_remedy_for_it(quick, flipped) -> None:
    X, y = flipped
    found = diagnose(ProfiledLinkPolicy().fit(X, y), X, y=y, time_budget=600)
    assert found["link"].p_value < 0.01
    assert found["link"].level == "note"
    assert verdicts(found)["link"] == "yes"
    assert not any("ProfiledLinkPolicy" in step for step in found.next_steps)


def test_sections_are_sorted_by_urgency(wrong_link) -> None:
    order = [LEVELS.index(section.result.level) for section in wrong_link.sections]
    assert order == sorted(order, reverse=True)
    assert order[0] == LEVELS.index(wrong_link.level)


def test_asymmetric_noise_is_found_and_the_remedy_removes_the_warning(quick, gumbel) -> None:
    X, y = gumbel
    found = diagnose(ProfiledLinkPolicy().fit(X, y), X, y=y, time_budget=600)
    assert verdicts(found)["link"] == "no"
    assert any(step.startswith("Fit again with antisymmetric=False") for step in found.next_steps)
    after = diagnose(ProfiledLinkPolicy(antisymmetric=False).fit(X, y), X, y=y, time_budget=600)
    assert verdicts(after)["link"] == "yes"
    assert not any("antisymmetric" in step for step in after.next_steps)


def test_separated_data(quick, logistic) -> None:
    X, _ = logistic
    y = (X @ [1.0, -0.6, 0.4] > 0).astype(int)
    with pytest.warns(SemiindexWarning, match="separated"):
        model = ProfiledLinkPolicy().fit(X, y)
    found = diagnose(model, X, menu(), y, time_budget=600)
    assert verdicts(found) == dict.fromkeys(("direction", "link", "policy"), "no")
    assert "the data are separated" in found.answers[0].because
    reasons = {item.key: item.reason for item in found.skipped}
    assert set(reasons) >= {"antisymmetry", "monotonicity", "index", "link", "policy_error"}
    assert all("separated" in reasons[key] for key in ("link", "policy_error"))


def test_features_without_variation_are_named(quick, logistic) -> None:
    X, y = logistic
    sides = np.column_stack([X, np.zeros(len(y))])
    pairs = PreferencePairs(np.zeros_like(sides), sides, y, feature_names=["a", "b", "c", "colour"])
    with pytest.warns(SemiindexWarning, match="colour"):
        model = ProfiledLinkPolicy().fit(pairs)
    found = diagnose(model, pairs, time_budget=600)
    assert verdicts(found)["direction"] == "with care"
    assert "do not determine the weights of colour" in found.answers[0].because
    assert any("colour" in step for step in found.next_steps)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (ProfiledLinkPolicy(ridge=0.1), "the tests compare fits without a penalty"),
        (
            KnownLinkPolicy(index=KernelIndex(components=5), ridge=0.1),
            "the tests are about a linear index",
        ),
    ],
    ids=["ridge", "kernel"],
)
def test_what_does_not_apply_is_skipped_with_the_reason(model, reason, logistic) -> None:
    X, y = logistic
    pairs = PreferencePairs(np.zeros_like(X), X, y)
    found = diagnose(model.fit(pairs), pairs, menu(), time_budget=600)
    reasons = {item.key: item.reason for item in found.skipped}
    assert {"antisymmetry", "monotonicity", "index", "link", "policy_error"} <= reasons.keys()
    assert all(reason in reasons[key] for key in ("antisymmetry", "monotonicity", "index", "link"))
    assert "standard errors" in reasons["policy_error"] or "a penalised fit" in reasons["policy_error"]
    assert {"calibration", "discrimination", "comparison", "learning_curve"} <= set(found)
    assert verdicts(found)["link"] in ("not examined", "with care")  # calibration may have its say
    with pytest.raises(InvalidParameterError, match=rf"'link' was not examined: .*{reason}"):
        found["link"]


@pytest.mark.parametrize("model", [OrthogonalPolicy(), RankingPolicy()], ids=repr)
def test_other_estimators_have_a_page(quick, model, logistic) -> None:
    X, y = logistic
    found = diagnose(model.fit(X, y), X, y=y, time_budget=600)
    assert set(found) == set(KEYS) - {"policy_error", "learning_curve"}


def test_a_budget_that_no_policy_spends_is_said(quick, logistic) -> None:
    X, y = logistic
    found = diagnose(KnownLinkPolicy().fit(X, y), X, menu(), y, budget=50.0, time_budget=600)
    assert [item.key for item in found.skipped] == ["policy_error"]
    assert "budget" in found.skipped[0].reason


def test_too_little_time_skips_and_says_how_much_is_missing(logistic) -> None:
    X, y = logistic
    found = diagnose(KnownLinkPolicy().fit(X, y), X, menu(), y, time_budget=1e-6)
    assert found.sections == ()
    assert [item.key for item in found.skipped] == KEYS
    assert all("of the time are left" in item.reason for item in found.skipped)
    assert set(verdicts(found).values()) == {"not examined"}
    assert "nothing was examined" in found.next_steps[0]
    assert found.level == "note"
    assert "What was not examined" in str(found)


def test_expected_costs_decide_what_fits_and_follow_what_was_measured(page, logistic, monkeypatch) -> None:
    def check(key: str, expected: float, taken: float, *, refits: bool) -> Check:
        def run(_: object) -> Diagnostic:
            time.sleep(taken)
            return page["link"]

        return Check(key, key, run, lambda _: expected, refits=refits)

    checks = (
        check("quick", 0.02, 0.2, refits=False),
        check("long", 100.0, 0.0, refits=True),
        check("ten times what it seems", 2.0, 0.0, refits=False),
        check("as it seems", 2.0, 0.0, refits=True),
    )
    monkeypatch.setattr(examination, "CHECKS", checks)
    X, y = logistic
    found = diagnose(KnownLinkPolicy().fit(X, y), X, y=y, time_budget=10.0)
    assert set(found) == {"quick", "as it seems"}
    assert [item.key for item in found.skipped] == ["long", "ten times what it seems"]
    assert "it would take about 100 s, and 10 s of the time are left" in found.skipped[0].reason


def test_warnings_of_the_library_become_notes_and_others_stay(page, logistic, monkeypatch) -> None:
    def run(_: object) -> Diagnostic:
        warnings.warn("look at this", DataWarning, stacklevel=1)
        warnings.warn("numpy says", RuntimeWarning, stacklevel=1)
        return page["link"]

    check = Check("link", "link", run, lambda _: 0.0)
    monkeypatch.setattr(examination, "CHECKS", (check, check))
    X, y = logistic
    with pytest.warns(RuntimeWarning, match="numpy says"):
        found = diagnose(KnownLinkPolicy().fit(X, y), X, y=y)
    assert found.notes[1:] == ("look at this",)


def test_time_of_refits_grows_with_their_number_and_size(logistic) -> None:
    X, y = logistic
    model = KnownLinkPolicy().fit(X, y)
    data = RefitData.read(X, y, None, None)
    case = ExaminedFit(model, X, None, y, None, None, 0.1, "reverse_kl", 0, 2, data)
    assert case.refits(10) == pytest.approx(10 * case.refits(1))
    assert 0 < case.refits(1, share=0.5) <= case.refits(1)
    assert case.shared(4.0) == 2.0


def test_a_scale_that_folds_may_lack_does_not_stop_the_page(quick, logistic) -> None:
    X, y = logistic
    pairs = PreferencePairs(np.zeros_like(X), X, y, feature_names=["a", "b", "c"])
    plain = diagnose(ProfiledLinkPolicy().fit(pairs), pairs, time_budget=600)
    scaled = diagnose(ProfiledLinkPolicy(normalization="a").fit(pairs), pairs, time_budget=600)
    assert scaled["discrimination"].auc == plain["discrimination"].auc
    assert str(scaled["comparison"]) == str(plain["comparison"])


def test_raters_are_kept_together_and_named(quick, draw_clustered) -> None:
    X, y, groups = draw_clustered(40, 10, np.random.default_rng(3))
    found = diagnose(ProfiledLinkPolicy().fit(X, y), X, y=y, groups=groups, time_budget=600)
    assert found["link"].clustered
    assert found["discrimination"].n_clusters == 40
    assert "400 comparisons by 40 raters" in str(found)
    assert found.notes == ()


def test_text_fits_a_terminal_and_has_all_parts(wrong_link) -> None:
    text = str(wrong_link)
    assert max(map(len, text.splitlines())) <= 92
    parts = ["May I trust", "What to do next", " 1. ", "What was found", "What was not examined", "Notes"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    for section in wrong_link.sections:
        assert section.finding.clause[1:20] in " ".join(text.split())


def test_html_escapes_names_of_features(quick, logistic) -> None:
    X, y = logistic
    doubled = np.column_stack([X, X[:, 0]])
    names = ["<script>", "b", "c", "d & e"]
    pairs = PreferencePairs(np.zeros_like(doubled), doubled, y, feature_names=names)
    with pytest.warns(SemiindexWarning):
        model = ProfiledLinkPolicy().fit(pairs)
    html = diagnose(model, pairs, time_budget=600)._repr_html_()
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
    assert "d &amp; e" in html


def test_frame_has_a_row_for_everything(wrong_link) -> None:
    frame = wrong_link.to_frame()
    assert sorted(frame.index) == sorted(KEYS)
    assert frame.loc["policy_error", "level"] == "not examined"
    assert frame.loc["link", "found"] == finding_of(wrong_link["link"]).clause


def test_a_policy_is_no_better_than_its_direction() -> None:
    wrong = ("index", Finding("curved", "", {"direction": "with care"}))
    good = ("policy_error", Finding("close", "", {"policy": "yes"}))
    assert [answer.verdict for answer in answers([wrong, good], {}, 100)] == ["with care", "yes", "with care"]
    found = answers([good], {"identification": "no time"}, 100)
    assert [answer.verdict for answer in found] == ["not examined", "yes", "not examined"]


def test_held_out_order_is_that_of_folds_and_below_that_of_the_fit() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 12))
    y = (rng.random(120) < expit(X[:, 0])).astype(int)
    model = KnownLinkPolicy().fit(X, y)
    data = RefitData.read(X, y, None, None)
    held = held_out_discrimination(model, held_out_predictions(model, data))
    seen = discrimination(model, X, y)
    assert held.auc < seen.auc - 0.02
    assert (held.n_clusters, held.doubled, held.in_sample) == (None, True, False)
    other = KnownLinkPolicy(antisymmetric=False).fit(X, y)
    one_sided = held_out_discrimination(other, held_out_predictions(other, data))
    assert not one_sided.doubled
    # twins of every comparison carry no information of their own
    twice = np.tile(np.arange(120), 2)
    doubled = RefitData.read(np.vstack([X, X]), np.tile(y, 2), None, twice)
    both = held_out_discrimination(model, held_out_predictions(model, doubled))
    assert both.n_clusters == 120
    assert both.standard_error == pytest.approx(held.standard_error, rel=0.1)


def test_other_data_than_those_of_the_fit_are_refused(logistic) -> None:
    X, y = logistic
    model = KnownLinkPolicy().fit(X, y)
    with pytest.raises(InvalidDataError, match="not what the model was fitted on"):
        diagnose(model, X[:400], y=y[:400])
    with pytest.raises(InvalidDataError, match="y is missing"):
        diagnose(model, X)
    with pytest.raises(InvalidParameterError, match="menu must be a Menu"):
        diagnose(model, X, y)
    with pytest.raises(InvalidParameterError, match="time_budget must be a positive number"):
        diagnose(model, X, y=y, time_budget=0)
    with pytest.raises(InvalidParameterError, match="fitted estimator of semiindex"):
        diagnose("model", X, y=y)


def test_labels_of_the_fit_are_asked_for(logistic) -> None:
    X, y = logistic
    model = KnownLinkPolicy().fit(X, y)
    with pytest.raises(InvalidDataError, match="y is not what the model was fitted on"):
        diagnose(model, X, y=1 - y)
    with pytest.raises(InvalidParameterError, match=r"labels and weights are passed by name: .*y=y"):
        diagnose(model, X, y)
    kernel = KnownLinkPolicy(index=KernelIndex(components=5), ridge=0.1).fit(X, y)
    with pytest.raises(InvalidDataError, match="y is not what the model was fitted on"):
        diagnose(kernel, X, y=1 - y)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"budget": 0.0}, "budget must be a positive number"),
        ({"budget": "0.1"}, "budget must be a positive number"),
        ({"divergence": "kl"}, "divergence"),
        ({"random_state": None}, "random_state must be an integer"),
        ({"random_state": -1}, "random_state must be an integer"),
        ({"time_budget": "5"}, "time_budget must be a positive number"),
        ({"time_budget": np.nan}, "time_budget must be a positive number"),
        ({"n_jobs": 0}, "n_jobs must be a number of processes"),
        ({"n_jobs": "all"}, "n_jobs must be a number of processes"),
    ],
)
def test_settings_are_checked_before_anything_runs(wrong, message, logistic) -> None:
    X, y = logistic
    with pytest.raises(InvalidParameterError, match=message):
        diagnose(KnownLinkPolicy().fit(X, y), X, y=y, **wrong)


def test_raters_without_a_name_and_too_few_answers_are_refused(logistic) -> None:
    X, y = logistic
    model = KnownLinkPolicy().fit(X, y)
    raters = np.where(np.arange(500) == 7, np.nan, np.arange(500) // 5)
    with pytest.raises(InvalidDataError, match="groups has no value in row 7"):
        diagnose(model, X, y=y, groups=raters)
    few = KnownLinkPolicy(ridge=0.1).fit(X[:6], y[:6])
    with pytest.raises(InvalidDataError, match="There are 6 comparisons: a diagnosis needs 8 at least"):
        diagnose(few, X[:6], y=y[:6])


def test_labels_of_one_kind_raise_no_alarm_about_position(quick) -> None:
    """Rejected and chosen: the doubled sample is as good as any, and nothing is known of positions."""
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 600, 2))
    wins = rng.random(600) < expit(2 * (second - first) @ [1.0, -1.0])
    chosen, rejected = np.where(wins[:, None], second, first), np.where(wins[:, None], first, second)
    pairs = PreferencePairs(rejected, chosen, np.ones(600, dtype=int), feature_names=["a", "b"])
    found = diagnose(ProfiledLinkPolicy().fit(pairs), pairs, time_budget=600)
    reasons = {item.key: item.reason for item in found.skipped}
    assert "all labels are of one kind" in reasons["antisymmetry"]
    assert verdicts(found)["link"] == "yes"
    assert "antisymmetric=False" not in str(found)


def test_few_answers_are_never_enough_for_a_yes(quick) -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(40, 2))
    y = (rng.random(40) < expit(X @ [1.0, -1.0])).astype(int)
    found = diagnose(KnownLinkPolicy().fit(X, y), X, y=y, time_budget=600)
    assert "yes" not in verdicts(found).values()
    assert "40 independent raters or comparisons show little" in found.answers[1].because
    counted = np.full(40, 3.0)  # and as many more by weight
    model = KnownLinkPolicy().fit(X, y, sample_weight=counted)
    assert verdicts(diagnose(model, X, None, y, counted, time_budget=600))["link"] == "yes"


@pytest.mark.parametrize("n_raters", [1, 2, 10])
def test_few_raters_have_a_page_that_says_so(n_raters, logistic) -> None:
    X, y = logistic
    found = diagnose(KnownLinkPolicy().fit(X, y), X, y=y, groups=np.arange(500) % n_raters, time_budget=600)
    assert "yes" not in verdicts(found).values()
    reasons = {item.key: item.reason for item in found.skipped}
    assert f"There are {n_raters} rater" in reasons["learning_curve"]
    if n_raters < 8:
        assert f"{n_raters} independent groups" in reasons["link"]


def test_where_no_question_is_answered_the_page_is_not_fine(page) -> None:
    skipped = tuple(
        examination.Skipped(key, key, "no time")
        for key in ("index", "identification", "link", "policy_error")
    )
    only = replace(
        page, sections=tuple(s for s in page.sections if s.key == "discrimination"), skipped=skipped
    )
    assert set(verdicts(only).values()) == {"not examined"}
    assert only.level == "note"
    assert only.next_steps[0].startswith("Nothing that was looked at asks for a change. See below why")


def test_a_gain_of_rounding_is_no_reason_to_change(page) -> None:
    better = page["comparison"].losses.copy()
    better[:, 1] = better[:, 0] - 1e-5 * (1 + 0.1 * np.sin(np.arange(len(better))))
    found = finding_of(replace(page["comparison"], losses=better))
    assert "too little to matter" in found.clause
    assert (found.step, found.level, found.bears) == ("", "fine", {"link": "yes"})


def test_p_values_count_from_one_in_a_hundred(page) -> None:
    for key in ("link", "antisymmetry", "monotonicity", "index"):
        assert finding_of(replace(page[key], p_value=0.02)).level == "fine"
        worse = replace(page[key], p_value=0.02)
        assert worse.level == "note"


@pytest.mark.slow
def test_a_fit_without_fault_has_a_clean_page(quick) -> None:
    """Of 108 such pages 102 were clean; 40 leave a Monte-Carlo error of 4%."""
    levels = []
    for seed in range(40):
        rng = np.random.default_rng(1000 + seed)
        X = np.column_stack([rng.normal(size=(400, 2)), rng.exponential(size=400) - 0.7])
        y = (rng.random(400) < expit(2 * X @ [1.0, -0.6, 0.4])).astype(int)
        levels.append(diagnose(KnownLinkPolicy().fit(X, y), X, y=y, time_budget=600).level)
    assert levels.count("fine") >= 34


def test_the_policy_error_takes_the_rate_of_the_learning_curve(page) -> None:
    measured = replace(page["learning_curve"], rate=0.4, rate_interval=(0.3, 0.5))
    sections = [
        section if section.key != "learning_curve" else replace(section, result=measured)
        for section in page.sections
    ]
    found = {section.key: section.result for section in examination._with_measured_rate(sections)}
    assert found["policy_error"].n_more_to_halve == pytest.approx(measured.n_more_to_halve)
    lost = [replace(s, result=replace(measured, rate=np.nan)) for s in sections if s.key == "learning_curve"]
    kept = [section for section in page.sections if section.key == "policy_error"]
    assert examination._with_measured_rate(kept + lost)[0].result.rate == 0.5


def test_what_cannot_run_is_said_whatever_the_time(logistic) -> None:
    X, y = logistic
    found = diagnose(ProfiledLinkPolicy(ridge=0.1).fit(X, y), X, menu(), y, time_budget=1e-6)
    reasons = {item.key: item.reason for item in found.skipped}
    assert "a penalised fit" in reasons["policy_error"]
    assert "without a penalty" in reasons["index"]
    assert "of the time are left" in reasons["discrimination"]


def test_unknown_keys_are_named(page) -> None:
    with pytest.raises(InvalidParameterError, match=r"key must be one of .*'link'"):
        page["lnk"]


def test_every_diagnostic_of_the_page_has_a_finding_at_every_level(page) -> None:
    worse = replace(page["link"], p_value=0.001)
    assert finding_of(worse).bears["link"] == "no"
    assert finding_of(replace(worse, angle=1.0)).bears["direction"] == "with care"
    assert finding_of(replace(worse, angle=20.0)).bears["direction"] == "no"
    fall = finding_of(replace(page["monotonicity"], p_value=0.001, fall=0.2))
    assert "fall by 20 percentage points" in fall.clause
    chance = finding_of(replace(page["discrimination"], interval=(0.48, 0.6)))
    assert chance.bears["direction"] == "no"
    bold = finding_of(replace(page["calibration"], p_value=1e-5))
    assert bold.bears["link"] == "with care"
    slow = finding_of(replace(page["learning_curve"], rate=0.1, rate_interval=(0.05, 0.15)))
    assert slow.bears["policy"] == "with care"
    losses = page["comparison"].losses[:, ::-1] + [[0.2, 0.0]]
    assert "predicts better" in finding_of(replace(page["comparison"], losses=losses)).clause
    far = finding_of(replace(page["policy_error"], from_reference=0.0))
    assert far.bears["policy"] == "no"
    assert "more comparisons: they would halve" in far.step


def test_findings_on_coefficients_name_the_most_pressing_remedy(page) -> None:
    plain = page["identification"]
    assert finding_of(plain).step == ""
    errors = np.array([15.0, *plain.information.errors[1:]])
    loose = replace(plain, information=replace(plain.information, errors=errors))
    assert "off by 15.0 degrees" in finding_of(loose).clause
    assert "Collect more comparisons" in finding_of(loose).step
    split = replace(plain, graph=ComparisonGraph(20, 100, 2, 0.6))
    assert finding_of(split).step == "Compare some options across parts."
    unknown = replace(plain, information=replace(plain.information, errors=errors * np.inf))
    assert "leaves no information" in finding_of(unknown).clause
    assert finding_of(unknown).bears["direction"] == "no"
    several = replace(loose, spread=MultistartSpread(5, 2, angle=40.0, gain=0.0))
    assert "differ by up to 40 degrees" in finding_of(several).clause
    exact = replace(several, relations=("a = b + c",))
    assert "in every comparison a = b + c" in finding_of(exact).clause
    assert finding_of(exact).bears["direction"] == "with care"
    offered = replace(exact, undetermined_in_menu=("c",))
    assert "options of the menu are ranked that differ in c" in finding_of(offered).clause
    assert (finding_of(offered).bears["direction"], finding_of(offered).bears["policy"]) == ("no", "no")


def test_unfinished_fits_are_noted(quick, logistic) -> None:
    X, y = logistic
    with pytest.warns(SemiindexWarning, match="max_iter"):
        model = ProfiledLinkPolicy(max_iter=1).fit(X, y)
    found = diagnose(model, X, y=y, time_budget=600)
    assert any("stopped before its tolerance" in note for note in found.notes)


def test_weights_are_those_of_repeated_rows(quick, logistic) -> None:
    X, y = logistic
    weight = 1.0 + np.arange(len(y)) % 2
    rows = np.repeat(np.arange(len(y)), weight.astype(int))
    weighted = diagnose(
        KnownLinkPolicy().fit(X, y, sample_weight=weight), X, None, y, weight, time_budget=600
    )
    repeated = diagnose(KnownLinkPolicy().fit(X[rows], y[rows]), X[rows], y=y[rows], time_budget=600)
    for key in ("identification",):  # of what needs no folds, and no signs
        assert weighted[key].reading() == repeated[key].reading()
    # random signs of twice as many blocks are others, the statistic is the same
    assert weighted["antisymmetry"].statistic == pytest.approx(repeated["antisymmetry"].statistic)
    assert weighted["monotonicity"].statistic == pytest.approx(repeated["monotonicity"].statistic)


def test_links_of_classes_need_pairs(logistic) -> None:
    X, y = logistic
    classes = np.arange(len(y)) % 2
    model = ProfiledLinkPolicy().fit(X, y, link_groups=classes)
    with pytest.raises(InvalidParameterError, match="pass PreferencePairs, which carry the classes"):
        diagnose(model, X, y=y)
    pairs = PreferencePairs(np.zeros_like(X), X, y, link_groups=classes)
    found = diagnose(ProfiledLinkPolicy().fit(pairs), pairs, time_budget=600)
    reasons = {item.key: item.reason for item in found.skipped}
    assert "a link for every class of raters" in reasons["link"]
    assert "discrimination" in set(found)
