"""Writes fitted models of one environment into a folder, as their users do: `make-real.py FOLDER`. Prints how many there are.

Each estimator of scikit-learn is fitted on small data with its defaults and written by pickle, joblib and joblib with compression, in turn; beside
them pipelines, searches, tables of pandas, arrays of numpy, boosters and, where it is installed, skops.
"""

import inspect
import os
import pickle
import sys
import warnings

import joblib
import numpy as np

warnings.simplefilter("ignore")
OUT = sys.argv[1]
os.makedirs(OUT, exist_ok=True)
RNG = np.random.RandomState(0)
X = np.abs(RNG.rand(40, 4))
Y = np.array([0, 1] * 20)
T = np.stack([Y, 1 - Y], axis=1)
COUNT = [0]


def pickled(path, value, protocol):
    with open(path, "wb") as file:
        pickle.dump(value, file, protocol=protocol)


WAYS = [
    ("pkl", lambda path, value: pickled(path, value, pickle.HIGHEST_PROTOCOL)),
    ("joblib", lambda path, value: joblib.dump(value, path)),
    ("z.joblib", lambda path, value: joblib.dump(value, path, compress=3)),
    ("0.pkl", lambda path, value: pickled(path, value, 0)),
    ("gz.joblib", lambda path, value: joblib.dump(value, path, compress=("gzip", 3))),
    ("2.pkl", lambda path, value: pickled(path, value, 2)),
    ("xz.joblib", lambda path, value: joblib.dump(value, path, compress=("xz", 3))),
    ("bz2.joblib", lambda path, value: joblib.dump(value, path, compress=("bz2", 3))),
    ("lzma.joblib", lambda path, value: joblib.dump(value, path, compress=("lzma", 3))),
    ("lz4.joblib", lambda path, value: joblib.dump(value, path, compress="lz4")),
]


def write(name, value):
    ending, way = WAYS[COUNT[0] % len(WAYS)]
    way(os.path.join(OUT, "%s.%s" % (name, ending)), value)
    COUNT[0] += 1


def fitted(name, make):
    for target in (Y, Y * 1.5 + X[:, 0], T):
        try:
            model = make()
            model.fit(X, target)
            return write(name, model)
        except Exception:
            continue


def estimators():
    try:
        from sklearn.utils import all_estimators
    except ImportError:
        from sklearn.utils.testing import all_estimators
    from sklearn.linear_model import LogisticRegression, Ridge

    for name, cls in all_estimators():
        if "Dictionary" in name or "GraphicalLasso" in name or name in ("TSNE", "MDS"):
            continue
        wants = list(inspect.signature(cls).parameters)
        if wants and wants[0] in ("estimator", "base_estimator", "regressor") and inspect.signature(cls).parameters[wants[0]].default is inspect.Parameter.empty:
            fitted(name, lambda: cls(LogisticRegression()))
            fitted(name + "-ridge", lambda: cls(Ridge()))
        else:
            fitted(name, cls)


def composed():
    from sklearn.compose import ColumnTransformer, make_column_selector
    from sklearn.decomposition import PCA
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier, StackingClassifier, VotingClassifier
    from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, WhiteKernel
    from sklearn.linear_model import LogisticRegression, SGDClassifier
    from sklearn.metrics import make_scorer, accuracy_score
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import FeatureUnion, make_pipeline
    from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, StandardScaler
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier
    from sklearn.utils import Bunch

    texts = ["a good day", "a bad day", "good good", "bad bad day"] * 10
    write("text", make_pipeline(TfidfVectorizer(), SGDClassifier()).fit(texts, Y))
    write("counts", make_pipeline(CountVectorizer(ngram_range=(1, 2)), LogisticRegression()).fit(texts, Y))
    write("hashes", make_pipeline(HashingVectorizer(n_features=64), SGDClassifier()).fit(texts, Y))
    write("grid", GridSearchCV(SVC(), {"C": [0.1, 1.0]}, cv=StratifiedKFold(2)).fit(X, Y))
    write("voting", VotingClassifier([("a", LogisticRegression()), ("b", DecisionTreeClassifier())]).fit(X, Y))
    write("stacking", StackingClassifier([("a", LogisticRegression()), ("b", KNeighborsClassifier())]).fit(X, Y))
    write("union", make_pipeline(FeatureUnion([("p", PCA(2)), ("s", MinMaxScaler())]), LogisticRegression()).fit(X, Y))
    write("log", make_pipeline(FunctionTransformer(np.log1p), StandardScaler(), LogisticRegression()).fit(X, Y))
    write("process", GaussianProcessRegressor(RBF() + WhiteKernel()).fit(X, Y))
    write("forest", RandomForestClassifier(30, random_state=np.random.RandomState(3)).fit(X, Y))
    write("boosted", GradientBoostingClassifier(n_estimators=20).fit(X, Y))
    write("tree-kd", KNeighborsClassifier(algorithm="kd_tree").fit(X, Y))
    write("tree-ball", KNeighborsClassifier(algorithm="ball_tree", metric="manhattan").fit(X, Y))
    write("bunch", Bunch(model=LogisticRegression().fit(X, Y), names=["a", "b"]))
    write("dict", {"model": LogisticRegression().fit(X, Y), "threshold": 0.5, "labels": {"no", "yes"}})
    assert make_scorer and accuracy_score and ColumnTransformer and make_column_selector and OneHotEncoder


def arrays():
    import collections
    import datetime

    write("array", X)
    write("objects", np.array(["a", None, 3], dtype=object))
    write("structured", np.array([(1, 2.0, "x")], dtype=[("a", "i4"), ("b", "f8"), ("c", "U3")]))
    write("texts", np.array(["one", "two"]))
    write("dates", np.array(["2020-01-01"], dtype="datetime64[D]"))
    write("masked", np.ma.masked_array([1, 2, 3], mask=[0, 1, 0]))
    write("scalar", {"a": np.float32(1), "b": np.int64(2), "c": np.bool_(True), "d": np.str_("x")})
    write("fortran", np.asfortranarray(X))
    write("random", np.random.RandomState(1))
    write("generator", np.random.default_rng(1) if hasattr(np.random, "default_rng") else X)
    write("python", {"o": collections.OrderedDict(a=1), "d": collections.defaultdict(int, x=2), "c": collections.Counter("abc"), "t": datetime.datetime(2020, 1, 1), "s": {1, 2}, "b": b"x\xff", "n": 2**80, "f": frozenset([1])})
    np.save(os.path.join(OUT, "plain.npy"), X)
    np.save(os.path.join(OUT, "objects.npy"), np.array(["a", {"b": 1}], dtype=object), allow_pickle=True)
    np.savez(os.path.join(OUT, "several.npz"), x=X, y=Y)
    np.savez_compressed(os.path.join(OUT, "packed.npz"), x=X, o=np.array([{"a": 1}, None], dtype=object))
    import scipy.sparse

    write("csr", scipy.sparse.csr_matrix(X))
    write("csc", scipy.sparse.csc_matrix(X))
    write("coo", scipy.sparse.coo_matrix(X))
    COUNT[0] += 4


def tables():
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    frame = pd.DataFrame({"a": X[:, 0], "b": ["x", "y"] * 20, "c": pd.date_range("2020-01-01", periods=40), "d": pd.Categorical(["u", "v"] * 20), "e": range(40), "f": [True, False] * 20})
    for _ in range(2):
        write("frame-%d" % _, frame)
        write("series-%d" % _, frame["b"])
        write("index-%d" % _, frame.set_index(["b", "e"]))
    write("times", frame.set_index("c").tz_localize("UTC"))
    write("integers", pd.Series([1, 2, None], dtype="Int64"))
    write("strings", pd.Series(["a", None], dtype="string"))
    write("stamp", {"t": pd.Timestamp("2020-01-01"), "d": pd.Timedelta("1D"), "n": pd.NaT, "o": pd.offsets.Day(2), "i": pd.Interval(0, 1)})
    columns = ColumnTransformer([("n", StandardScaler(), ["a", "e"]), ("c", OneHotEncoder(), ["b", "d"])])
    for _ in range(3):
        write("columns-%d" % _, make_pipeline(columns, LogisticRegression()).fit(frame, Y))


def boosters():
    import lightgbm as lgb

    for _ in range(2):
        write("lgbm-classifier-%d" % _, lgb.LGBMClassifier(n_estimators=5, n_jobs=1).fit(X, Y))
        write("lgbm-regressor-%d" % _, lgb.LGBMRegressor(n_estimators=5, n_jobs=1).fit(X, Y))
    write("lgbm-ranker", lgb.LGBMRanker(n_estimators=5, n_jobs=1).fit(X, Y, group=[20, 20]))
    write("lgbm-booster", lgb.LGBMClassifier(n_estimators=5, n_jobs=1).fit(X, Y).booster_)
    import xgboost as xgb

    for _ in range(2):
        write("xgb-classifier-%d" % _, xgb.XGBClassifier(n_estimators=5, n_jobs=1).fit(X, Y))
        write("xgb-regressor-%d" % _, xgb.XGBRegressor(n_estimators=5, n_jobs=1).fit(X, Y))
    write("xgb-forest", xgb.XGBRFClassifier(n_estimators=5, n_jobs=1).fit(X, Y))
    write("xgb-booster", xgb.XGBClassifier(n_estimators=5, n_jobs=1).fit(X, Y).get_booster())


def balanced():
    from imblearn.over_sampling import SMOTE
    from imblearn.pipeline import make_pipeline
    from sklearn.linear_model import LogisticRegression

    write("balanced", make_pipeline(SMOTE(k_neighbors=2), LogisticRegression()).fit(X, Y))


def skops():
    import skops.io
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    skops.io.dump(LogisticRegression().fit(X, Y), os.path.join(OUT, "logistic.skops"))
    skops.io.dump(RandomForestClassifier(5).fit(X, Y), os.path.join(OUT, "forest.skops"))
    COUNT[0] += 2


for part in (estimators, composed, arrays, tables, boosters, balanced, skops):
    try:
        part()
    except (ImportError, NameError) as error:
        print("left out:", part.__name__, error, file=sys.stderr)
print(COUNT[0])
