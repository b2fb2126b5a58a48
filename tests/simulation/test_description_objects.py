"""What a file says is the object that is written in Python; what it cannot say is refused in words."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semiindex import (
    KernelIndex,
    KnownLinkPolicy,
    LinearIndex,
    MonotoneSpline,
    OrthogonalPolicy,
    ProductKernel,
    ProfiledLinkPolicy,
    RankingPolicy,
)
from semiindex.divergence import alpha_divergence, hellinger
from semiindex.exceptions import InvalidParameterError
from semiindex.inference import Bootstrap
from semiindex.link import (
    CauchitLink,
    LapsedLink,
    LogisticLink,
    ProbitLink,
    ShapeConstrainedLink,
    ShiftedMixtureLink,
)
from semiindex.simulation import (
    ActivePairs,
    AlternatingScore,
    AngleError,
    AsOffered,
    BestOfPairs,
    BinaryFeatures,
    CoefficientIntervals,
    ComparisonDesign,
    ConjointFeatures,
    ContextualFeatures,
    Coverage,
    IndexCorrelation,
    LinearScore,
    LinkError,
    LogLoss,
    MixedFeatures,
    MixtureLink,
    NearestPairs,
    NormalFeatures,
    NormalizedCoefficients,
    PolicyError,
    PublishedTruth,
    Raters,
    ReferencePairs,
    SkewedFeatures,
    StudentFeatures,
    Truth,
    TunedPolicy,
    UniformPairs,
    link_at_severity,
    published_design,
    random_teacher,
    read_study,
    rms_coefficients,
)
from semiindex.simulation.description.designs import read_design
from semiindex.simulation.description.estimators import read_estimator
from semiindex.simulation.description.metrics import read_metrics
from semiindex.simulation.description.table import Table
from semiindex.simulation.description.truths import TruthReader
from semiindex.simulation.identity import describe

CONTEXTS = ContextualFeatures(NormalFeatures(2), 3)
DESIGNS = {"choice": ComparisonDesign(CONTEXTS), "plain": ComparisonDesign(NormalFeatures(2))}


def table(text: str) -> Table:
    return Table(tomllib.loads(text), "study.toml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('features = "normal"\ndimension = 2', NormalFeatures(2)),
        ('features = "student"\ndimension = 2\ndegrees_of_freedom = 4', StudentFeatures(2, 4)),
        ('features = "skewed"\ndimension = 2\npower = 2', SkewedFeatures(2, 2)),
        ('features = "binary"\ndimension = 2\nrate = 0.4', BinaryFeatures(2, 0.4)),
        ('features = "mixed"\ndimension = 2', MixedFeatures(2)),
        ('features = "conjoint"\nn_levels = 3\nprice_sigma = 1', ConjointFeatures(n_levels=3, price_sigma=1)),
        ('features = "contextual"', ContextualFeatures()),
        (
            'features = "contextual"\nn_actions = 3\nencoding = "interactions"\n'
            'contexts = { features = "skewed", dimension = 2 }',
            ContextualFeatures(SkewedFeatures(2), 3, "interactions"),
        ),
    ],
)
def test_features(text: str, expected: Any) -> None:
    assert read_design(table(text)) == ComparisonDesign(expected)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ('"uniform"', UniformPairs()),
        ('{ kind = "uniform", replace = true }', UniformPairs(replace=True)),
        ('"as_offered"', AsOffered()),
        ('{ kind = "reference", replace = false }', ReferencePairs(replace=False)),
        ('{ kind = "best_of", n_draws = 8 }', BestOfPairs(8)),
        ('"nearest"', NearestPairs()),
        ('"active"', ActivePairs()),
    ],
)
def test_pairs(pairs: str, expected: Any) -> None:
    design = read_design(table(f'features = "normal"\ndimension = 2\nmenu_size = 4\npairs = {pairs}'))
    assert design == ComparisonDesign(NormalFeatures(2), 4, expected)


def test_active_pairs_with_a_learner() -> None:
    learner = '{ kind = "profiled", ridge = 0.1, index = "kernel" }'
    pairs = f'{{ kind = "active", n_rounds = 3, learner = {learner} }}'
    design = read_design(table(f'features = "normal"\ndimension = 2\nmenu_size = 4\npairs = {pairs}'))
    expected = ActivePairs(3, ProfiledLinkPolicy(ridge=0.1, index=KernelIndex()))
    assert describe(design.sampling) == describe(expected)
    assert design.sample(Truth(), 60, np.random.default_rng(0)).pairs.shape == (60, 2)


def test_the_published_design() -> None:
    truth, design = published_design(0.75, n_features=4, n_actions=3)
    text = (
        'features = "contextual"\ncontexts = { features = "normal", dimension = 4 }\nn_actions = 3\n'
        'pairs = { kind = "uniform", replace = true }'
    )
    read = read_design(table(text))
    assert read == design
    truths = TruthReader({"mine": read}).read(
        "s", table('kind = "published"\nshift = [0, 0.75]\ndesign = "mine"')
    )
    assert truths == {"s 0": PublishedTruth(0.0, truth.features), "s 0.75": truth}
    default = TruthReader({}).read("s", table('kind = "published"\nshift = 1.5'))
    assert default == {"s 1.5": PublishedTruth(1.5)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("score = [1, -2]", Truth([1, -2], link_at_severity("flips", 1.0))),
        (
            'score = { kind = "linear", theta = [1, 2] }',
            Truth(LinearScore((1, 2)), link_at_severity("flips", 1.0)),
        ),
        (
            'score = { kind = "alternating", period = 3 }',
            Truth(AlternatingScore(3), link_at_severity("flips", 1.0)),
        ),
        ("position_bias = 0.1", Truth(link=link_at_severity("flips", 1.0), position_bias=0.1)),
        ('divergence = "hellinger"', Truth(link=link_at_severity("flips", 1.0), divergence=hellinger)),
        (
            'divergence = { kind = "alpha_divergence", alpha = 0.7 }',
            Truth(link=link_at_severity("flips", 1.0), divergence=alpha_divergence(0.7)),
        ),
        ("reference = [0.7, 0.3]", Truth(link=link_at_severity("flips", 1.0), reference=[0.7, 0.3])),
        (
            "raters = { answers = 20, dependence = 0.3, own_menus = 0.5 }",
            Truth(link=link_at_severity("flips", 1.0), raters=Raters(20, dependence=0.3, own_menus=0.5)),
        ),
    ],
)
def test_truths_of_a_family(text: str, expected: Truth) -> None:
    (truth,) = TruthReader(DESIGNS).read("flips", table(text)).values()
    assert describe(truth) == describe(
        Truth(
            expected.score,
            expected.link,
            expected.divergence,
            expected.reference,
            expected.position_bias,
            expected.raters,
            {"link": "flips", "severity": 1.0},
        )
    )


def test_factors_are_columns_beside_link_and_severity() -> None:
    truths = TruthReader({}).read("flips", table('severity = [0, 1]\nfactors = { wave = "first", year = 2 }'))
    assert [truth.factors for truth in truths.values()] == [
        {"link": "flips", "severity": severity, "wave": "first", "year": 2} for severity in (0.0, 1.0)
    ]


LINKS = [
    ('"logistic"', LogisticLink()),
    ('{ kind = "cauchit" }', CauchitLink()),
    (
        '{ kind = "lapsed", base = "probit", lower = 0.1, upper = 0.2, scale = 2, shift = 0.5 }',
        LapsedLink(ProbitLink(), 0.1, 0.2, 2.0, 0.5),
    ),
    ('{ kind = "shifted_mixture", shift = 1.5, scale = 0.25 }', ShiftedMixtureLink(1.5, 0.25)),
    (
        '{ kind = "mixture", links = ["logistic", { kind = "probit" }], shares = [3, 1] }',
        MixtureLink((LogisticLink(), ProbitLink()), (0.75, 0.25)),
    ),
    ('{ family = "flips", severity = 0.5 }', link_at_severity("flips", 0.5)),
]


@pytest.mark.parametrize(("text", "expected"), LINKS)
def test_links_of_raters_and_estimators(text: str, expected: Any) -> None:
    raters = f'[raters]\nanswers = 5\nlinks = [{text}, "loglog"]\nshares = [3, 1]'
    (truth,) = TruthReader({}).read("crowd", table(raters)).values()
    assert truth == Truth(raters=Raters(5, (expected, "loglog"), (3, 1)), factors={"link": "crowd"})
    model = read_estimator(table(f'kind = "known_link"\nlink = {text}'))(Truth())
    assert model.link == expected


@pytest.mark.parametrize(("text", "expected"), LINKS[1:])
def test_a_truth_of_one_link(text: str, expected: Any) -> None:
    truths = TruthReader({}).read("mine", table(f"link = {text}\nposition_bias = 0.05"))
    assert truths == {"mine": Truth(link=expected, position_bias=0.05, factors={"link": "mine"})}


def test_a_teacher_reads_the_contexts_of_a_design() -> None:
    text = 'score = { kind = "teacher", design = "choice", seed = 3, hidden = [4], nu = 2 }'
    (truth,) = TruthReader(DESIGNS).read("flips", table(text)).values()
    options = CONTEXTS.draw(5, 3, np.random.default_rng(1))
    expected = random_teacher(CONTEXTS, np.random.default_rng(3), (4,), 2.0)
    np.testing.assert_array_equal(truth.score(options), expected(options))


PRODUCT = (
    'kernel = [{ columns = ["x0", "x1"], kernel = "rbf", gamma = 0.2 }, { columns = 2, kernel = "equality" }]'
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'kind = "known_link"\nloss = "robust"\nflip_rate = 0.2',
            KnownLinkPolicy(loss="robust", flip_rate=0.2),
        ),
        ('kind = "profiled"\nnormalization = "x1"', ProfiledLinkPolicy(normalization="x1")),
        (
            'kind = "profiled"\nnormalization = 1\npooling = inf',
            ProfiledLinkPolicy(normalization=1, pooling=np.inf),
        ),
        ('kind = "profiled"\nlink = "spline"', ProfiledLinkPolicy("spline")),
        (
            'kind = "profiled"\nlink = "isotonic"\nsolver = "cvxpy"',
            ProfiledLinkPolicy("isotonic", solver="cvxpy"),
        ),
        (
            'kind = "profiled"\nlink = { kind = "spline", n_knots = 6, penalty = 1, max_slope = 2 }',
            ProfiledLinkPolicy(MonotoneSpline(6, 1, 2)),
        ),
        (
            'kind = "profiled"\nlink = { kind = "shape", lipschitz = 1, concave_above_zero = true }',
            ProfiledLinkPolicy(ShapeConstrainedLink(lipschitz=1, concave_above_zero=True)),
        ),
        (
            'kind = "orthogonal"\nmethod = "efficient_score"\nbandwidth = 0.3\nrandom_state = "fresh"',
            OrthogonalPolicy("efficient_score", bandwidth=0.3, random_state=None),
        ),
        (
            'kind = "orthogonal"\nindex = { kind = "kernel", components = 5, random_state = 4 }',
            OrthogonalPolicy(index=KernelIndex(components=5, random_state=4)),
        ),
        ('kind = "ranking"\nsurrogate = "logistic"\nridge = 0.1', RankingPolicy("logistic", ridge=0.1)),
        (
            'kind = "ranking"\ntemperature = 0.1\nindex = "linear"',
            RankingPolicy(temperature=0.1, index=LinearIndex()),
        ),
        (
            'kind = "ranking"\nridge = 0.1\n[index]\nkind = "kernel"\nkernel = "arc_cosine"\n'
            "kernel_params = { layers = 2 }",
            RankingPolicy(ridge=0.1, index=KernelIndex("arc_cosine", kernel_params={"layers": 2})),
        ),
        (
            f'kind = "profiled"\nridge = 0.1\n[index]\nkind = "kernel"\n{PRODUCT}',
            ProfiledLinkPolicy(
                ridge=0.1,
                index=KernelIndex(ProductKernel((["x0", "x1"], "rbf", {"gamma": 0.2}), (2, "equality"))),
            ),
        ),
        (
            'kind = "known_link"\nindex = "kernel"\ntune = { ridge = [1, 0.1], gamma = 0.5, cv = 3 }',
            TunedPolicy(KnownLinkPolicy(index=KernelIndex()), ridge=(1.0, 0.1), gamma=(0.5,), cv=3),
        ),
        ('kind = "ranking"\ntune = true', TunedPolicy(RankingPolicy())),
        (
            'kind = "orthogonal"\n[tune.grid]\nbandwidth = [0.2, "rule"]',
            TunedPolicy(OrthogonalPolicy(), grid={"bandwidth": [0.2, "rule"]}),
        ),
    ],
)
def test_estimators(text: str, expected: Any) -> None:
    estimator = read_estimator(table(text))
    assert describe(estimator(Truth())) == describe(expected)
    first, second = estimator(Truth()), estimator(Truth())
    assert first.get_params().get("index") is None or first.index is not second.index


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [AngleError()]),
        ("metrics = []", []),
        (
            'metrics = ["angle", "index_correlation", "log_loss"]',
            [AngleError(), IndexCorrelation(), LogLoss()],
        ),
        ('metrics = [{ kind = "link_error", central = 0.5, name = "middle" }]', [LinkError(0.5, "middle")]),
        ('metrics = [{ kind = "policy", budgets = [0.1, 0.2] }]', [PolicyError((0.1, 0.2))]),
        ('metrics = ["coverage"]', [Coverage(CoefficientIntervals(), rms_coefficients)]),
        (
            'metrics = [{ kind = "coverage", level = 0.9, covariance = "jackknife", '
            'normalization = "norm" }]',
            [Coverage(CoefficientIntervals("jackknife", 0.9), NormalizedCoefficients("norm"))],
        ),
        (
            'metrics = [{ kind = "coverage", covariance = { kind = "bootstrap", n_draws = 99 } }]',
            [Coverage(CoefficientIntervals(Bootstrap(99)))],
        ),
        ("metrics = []\nbudgets = 0.3", [PolicyError((0.3,))]),
    ],
)
def test_metrics(text: str, expected: list[Any]) -> None:
    assert read_metrics(table(text)) == expected


CROWD = """
n = 300
replications = 2
n_evaluation = 50
metrics = ["angle", "coverage"]
[truths.crowd]
position_bias = 0.05
[truths.crowd.raters]
answers = 10
links = ["logistic", { kind = "lapsed", base = "logistic", lower = 0.1, upper = 0.3 }]
dependence = 0.3
[designs.normal]
features = "normal"
dimension = 3
[estimators.spline]
kind = "profiled"
pooling = inf
[estimators.orthogonal]
kind = "orthogonal"
pooling = 0
[estimators.logistic]
kind = "known_link"
normalization = "rms"
"""

KERNELS = """
n = 150
replications = 1
n_evaluation = 50
metrics = ["index_correlation"]
budgets = [0.2]
[truths.flips]
score = { kind = "teacher", design = "choice" }
[designs.choice]
features = "contextual"
contexts = { features = "normal", dimension = 2 }
n_actions = 4
pairs = { kind = "active", n_rounds = 2, learner = { kind = "known_link", ridge = 0.1, index = "kernel" } }
[estimators.logistic]
kind = "known_link"
tune = { ridge = [0.1, 0.01], cv = 2 }
[estimators.logistic.index]
kind = "kernel"
kernel = [{ columns = ["x0", "x1"], kernel = "rbf" }, { columns = "action", kernel = "equality" }]
[estimators.orthogonal]
kind = "orthogonal"
index = { kind = "kernel", components = 6 }
"""


def read(tmp_path: Path, text: str) -> Any:
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    return read_study(tmp_path / "study.toml").study


def test_crowds_and_coverage_run(tmp_path: Path) -> None:
    frame = read(tmp_path, CROWD).run().frame
    assert (frame["error"] == "").all()
    assert frame[["angle", "coverage", "coverage_length"]].notna().all(axis=None)


def test_kernels_run(tmp_path: Path) -> None:
    frame = read(tmp_path, KERNELS).run().frame
    assert (frame["error"] == "").all()
    assert (frame["index_correlation"] > 0.1).all()


@pytest.mark.parametrize(
    ("base", "old", "new", "message"),
    [
        (
            CROWD,
            '"logistic", {',
            '"logit", {',
            r"crowd: raters: links, entry 1: must be one of logistic, .*'logit'",
        ),
        (CROWD, "lower = 0.1", "lover = 0.1", r"links, entry 2: lover: unknown key; did you mean 'lower'\?"),
        (CROWD, 'base = "logistic", ', "", r"links, entry 2: base: is missing"),
        (
            CROWD,
            "lower = 0.1",
            "lower = 0.9",
            r"links, entry 2: lower and upper are probabilities of a lapse",
        ),
        (CROWD, "dependence = 0.3", "dependence = 1.3", r"crowd: raters: dependence must be in \[0, 1\)"),
        (
            CROWD,
            "position_bias = 0.05",
            'position_bias = "a"',
            r"crowd: position_bias: must be a number, got 'a'",
        ),
        (CROWD, "position_bias = 0.05", "position_bias = 0.9", r"crowd: position_bias=0.9 is not attainable"),
        (
            CROWD,
            "position_bias = 0.05",
            "severity = 1",
            r"crowd: severity: has no meaning where raters.links",
        ),
        (CROWD, "position_bias = 0.05", 'link = "flips"', r"crowd: link: has no meaning where raters.links"),
        (CROWD, "position_bias = 0.05", "score = []", r"crowd: score: must not be empty"),
        (
            CROWD,
            "position_bias = 0.05",
            'score = "net"',
            r"score: must be one of linear, alternating, teacher, or a",
        ),
        (CROWD, "position_bias = 0.05", 'score = { kind = "teacher" }', r"score: design: is missing"),
        (
            CROWD,
            "position_bias = 0.05",
            'score = { kind = "teacher", design = "normal" }',
            r'score: design: names a design with features = "contextual", of which the study has none',
        ),
        (
            CROWD,
            "position_bias = 0.05",
            'divergence = "kl"',
            r"divergence: must be one of reverse_kl, .*got 'kl'",
        ),
        (CROWD, "position_bias = 0.05", "reference = [0.9, 0.3]", r"crowd: reference must be probabilities"),
        (
            CROWD,
            "position_bias = 0.05",
            "factors = { a = [1] }",
            r"factors: a: must be a text or a number or true",
        ),
        (CROWD, "position_bias = 0.05", 'kind = "other"', r"crowd: kind: must be one of family, published"),
        (
            CROWD,
            'metrics = ["angle", "coverage"]',
            'metrics = ["angle", { kind = "cover" }]',
            r"metrics, entry 2: kind: must be one of angle, .*coverage; got 'cover'",
        ),
        (
            CROWD,
            'metrics = ["angle", "coverage"]',
            'metrics = ["angle", "angle"]',
            r"study.toml: two metrics have the name 'angle'",
        ),
        (
            CROWD,
            'metrics = ["angle", "coverage"]',
            'metrics = [{ kind = "coverage", covariance = "two-way" }]',
            r"metrics, entry 1: covariance: must be one of auto, sandwich, cluster, jackknife, bootstrap, or",
        ),
        (
            CROWD,
            'normalization = "rms"',
            "",
            r"coverage of estimators.logistic: .*give the estimator normalization='rms'",
        ),
        (
            CROWD,
            'normalization = "rms"',
            'normalization = "rms"\nridge = 1',
            r"coverage of estimators.logistic: ridge",
        ),
        (
            CROWD,
            'normalization = "rms"',
            'antisymmetric = "no"',
            r'antisymmetric: must be true, false or "truth"',
        ),
        (CROWD, 'normalization = "rms"', "tune = 3", r"estimators.logistic: tune: must be a table, got 3"),
        (
            CROWD,
            'normalization = "rms"',
            "tune = { fold = 3 }",
            r"tune: fold: unknown key; .*known here: ridge, gamma",
        ),
        (
            CROWD,
            'normalization = "rms"',
            "tune = { grid = { tau = 1 } }",
            r"grid: tau: must be a list of values",
        ),
        (
            CROWD,
            'kind = "orthogonal"',
            'kind = "orthogonal"\nrandom_state = true',
            r"random_state: must be a seed",
        ),
        (
            CROWD,
            'kind = "orthogonal"',
            'kind = "orthogonal"\nindex = "kernel"',
            r"estimators.orthogonal: index=Kern",
        ),
        (
            CROWD,
            'kind = "orthogonal"',
            'kind = "orthogonal"\nindex = "net"',
            r"index: must be one of linear, kernel,",
        ),
        (
            KERNELS,
            "components = 6",
            "component = 6",
            r"index: component: unknown key; did you mean 'components'",
        ),
        (
            KERNELS,
            'columns = "action"',
            'columns = "act"',
            r"estimators.logistic: cannot be .*no column 'act'",
        ),
        (KERNELS, 'columns = "action", ', "", r"index: kernel, entry 2: columns: is missing"),
        (
            KERNELS,
            '"equality"',
            '"equal"',
            r"index: kernel must be a function of two matrices, .*got 'equal'",
        ),
        (
            KERNELS,
            '["index_correlation"]',
            '["angle"]',
            r"angle of estimators.logistic: the parameters of Kernel",
        ),
        (KERNELS, "dimension = 2", "dimension = 0", r"designs.choice: contexts: dimension must be"),
        (KERNELS, 'features = "normal", ', "", r"designs.choice: contexts: features: must be one of normal"),
        (
            KERNELS,
            'kind = "known_link", ridge',
            'kind = "oracle", ridge',
            r"learner: kind: must be one of known_link",
        ),
        (
            KERNELS,
            'kind = "known_link", ridge = 0.1',
            'kind = "known_link", antisymmetric = "truth"',
            r"learner: antisymmetric: must be true or false",
        ),
        (
            KERNELS,
            "[truths.flips]",
            '[truths.x]\nkind = "published"\nshift = 1\n[truths.flips]',
            "on designs.choice",
        ),
        (
            KERNELS,
            "[truths.flips]",
            '[truths.x]\nkind = "published"\n[truths.flips]',
            "truths.x: shift: is missing",
        ),
        (
            KERNELS,
            "[truths.flips]",
            '[truths."a 1"]\nlink = { kind = "probit" }\n[truths.a]\nlink = "flips"\n[truths.flips]',
            "truths.a: there is another truth 'a 1'",
        ),
    ],
)
def test_messages(tmp_path: Path, base: str, old: str, new: str, message: str) -> None:
    assert base.count(old) == 1
    with pytest.raises(InvalidParameterError, match=message):
        read(tmp_path, base.replace(old, new))


def test_intervals_cover_coefficients_of_their_scale(tmp_path: Path) -> None:
    """Under every normalisation the true coefficients are those of the estimator with all the data."""
    truth = Truth([1.0, -0.5, 0.25])
    design = ComparisonDesign(NormalFeatures(3))
    sample = design.sample(truth, 20_000, np.random.default_rng(0))
    for normalization in ("rms", "norm", "x1"):
        model = KnownLinkPolicy(normalization=normalization).fit(sample.pairs)
        true = NormalizedCoefficients(normalization)(truth, sample)
        intervals = CoefficientIntervals(level=0.9999)(model, sample)
        assert ((intervals[:, 0] <= true + 1e-12) & (true <= intervals[:, 1] + 1e-12)).all()
        np.testing.assert_allclose(model.coef_, true, atol=0.1)
    np.testing.assert_allclose(NormalizedCoefficients()(truth, sample), rms_coefficients(truth, sample))


def test_tuned_fits_are_those_of_tune() -> None:
    from semiindex import tune

    sample = ComparisonDesign(NormalFeatures(3)).sample(Truth(), 200, np.random.default_rng(0))
    tuned = TunedPolicy(KnownLinkPolicy(), ridge=(1.0, 0.01), cv=3, random_state=5).fit(sample.pairs)
    result = tune(KnownLinkPolicy(), sample.pairs, ridge=[1.0, 0.01], cv=3, random_state=5)
    assert tuned.best_params_ == result.best_params
    np.testing.assert_array_equal(tuned.coef_, result.best_estimator.coef_)
    options = np.eye(3)
    np.testing.assert_array_equal(tuned.score_options(options), result.best_estimator.score_options(options))
    np.testing.assert_array_equal(
        tuned.predict_proba(sample.pairs), result.best_estimator.predict_proba(sample.pairs)
    )
    assert tuned.link_ == result.best_estimator.link_
    assert tuned.index_rms_ == result.best_estimator.index_rms_
