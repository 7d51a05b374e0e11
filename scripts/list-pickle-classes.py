"""Prints, as JSON, the classes of one installed environment that fitted models are made of: `{library: {module: [names]}}`.

Run it in an environment of each release that is to be read, and merge what they print with `merge-pickle-classes.py`. A class counts when it
is an estimator, a kernel, a splitter, a distance, a loss or a tree: it keeps data and its methods compute. What opens files or URLs,
starts processes, evaluates text or calls what it is given stays out by name.
"""

import importlib
import inspect
import json
import pkgutil
import re
import sys
import warnings

warnings.simplefilter("ignore")

SKIPPED = re.compile(
    r"(^|\.)(tests?|conftest|externals|datasets|experimental|_testing|testing|_mocking|mocking|_build_utils|_build|__main__|setup|"
    r"estimator_checks|_arpack|_unittest_backport|_joblib|_array_api|_plotting|_pprint|_estimator_html_repr|_repr_html|"
    r"dask|spark|plotting|sphinxext|build|utils\._test_common|over_sampling\.tests)(\.|$)"
)
REFUSED_CLASSES = {"ParallelWrapper", "Parallel", "_FuncWrapper", "Options", "RemoteFileMetadata", "deprecated"}
ESTIMATOR_MODULES = ("sklearn", "imblearn")


def modules_of(package):
    root = importlib.import_module(package)
    yield root
    for info in pkgutil.walk_packages(root.__path__, package + ".", onerror=lambda name: None):
        if SKIPPED.search(info.name):
            continue
        try:
            yield importlib.import_module(info.name)
        except BaseException:
            continue


def is_wanted(cls, bases):
    """Estimators, and the plain classes of computing modules; never exceptions, contexts and displays."""
    if issubclass(cls, BaseException) or cls.__name__ in REFUSED_CLASSES:
        return False
    if issubclass(cls, bases):
        return True
    module = cls.__module__
    return bool(
        re.search(
            r"^sklearn\.(calibration|utils\._metadata_requests|cluster\._bisect_k_means|_loss|_losses|loss|tree\._(tree|criterion|splitter|partitioner)|neighbors\._?(kd_tree|ball_tree|quad_tree|binary_tree|dist_metrics)|"
            r"metrics\._dist_metrics|metrics\._scorer|metrics\.scorer|ensemble\._(gb_losses|hist_gradient_boosting)|ensemble\.gradient_boosting|"
            r"gaussian_process\.kernels|model_selection\._(split|search)|linear_model\._(sgd_fast|glm|linear_loss)|linear_model\.sgd_fast|"
            r"cluster\._(birch|bicluster|hierarchical_fast|_hdbscan)|cluster\.birch|compose\._column_transformer|svm\._newrand|utils\._(random|encode|bunch)|"
            r"utils\.(murmurhash|fast_dict|_fast_dict|deprecation|weight_vector|_weight_vector)|preprocessing\._(label|encoders|target_encoder)|isotonic|"
            r"impute\._iterative|feature_extraction\._(hash|dict|stop_words)|mixture|decomposition|neural_network\._stochastic_optimizers)(\.|$)",
            module,
        )
    )


def estimators(package):
    base = importlib.import_module("sklearn.base").BaseEstimator
    found = {}
    for module in modules_of(package):
        for name, value in list(vars(module).items()):
            if inspect.isclass(value):
                add(found, package, value, base)
    return found


def add(found, package, cls, base):
    module = getattr(cls, "__module__", "") or ""
    if module == "_loss":
        found.setdefault(module, set()).add(cls.__qualname__)
        return
    if module.split(".")[0] != package or SKIPPED.search(module) or "." in cls.__qualname__ or not is_wanted(cls, (base,)):
        return
    if cls.__name__.endswith("Display") or cls.__name__.startswith("Test"):
        return
    found.setdefault(module, set()).add(cls.__qualname__)
    if module == package + "._loss._loss":
        found.setdefault("_loss", set()).add(cls.__qualname__)  # what Cython calls it in some releases


def functions(found):
    """Functions that compute, which models keep as parameters: scores, kernels, distances."""
    import sklearn.feature_selection
    import sklearn.metrics
    import sklearn.metrics.pairwise

    wanted = r"^sklearn\.(metrics\.(_?(classification|regression|ranking)|pairwise|cluster\._?(supervised|unsupervised))|feature_selection\._?(univariate_selection|mutual_info_?))$"
    for home in (sklearn.metrics, sklearn.metrics.pairwise, sklearn.feature_selection):
        for name in dir(home):
            value = getattr(home, name)
            if inspect.isfunction(value) and not name.startswith("_") and re.search(wanted, value.__module__):
                found.setdefault(value.__module__, set()).add(name)


def unpicklers(package, found):
    """Cython gives a function for each class that it can read again."""
    for module in modules_of(package):
        for name in dir(module):
            if re.match(r"__pyx_unpickle_(?!.*Enum)\w+$", name):
                found.setdefault(module.__name__, set()).add(name)
                if module.__name__ == "sklearn._loss._loss":
                    found.setdefault("_loss", set()).add(name)
            if name == "newObj" and re.search(r"(kd_tree|ball_tree|dist_metrics)", module.__name__):
                found.setdefault(module.__name__, set()).add(name)


def main():
    out = {}
    for package in ESTIMATOR_MODULES:
        try:
            found = estimators(package)
        except ImportError:
            continue
        if package == "sklearn":
            unpicklers(package, found)
            functions(found)
        out[package] = {module: sorted(names) for module, names in sorted(found.items())}
    out["numpy"] = ufuncs()
    out["scipy"] = sparse_and_splines()
    for library, names in (("pandas", pandas_classes), ("xgboost", boosters), ("lightgbm", boosters)):
        try:
            out[library] = names(library)
        except ImportError:
            continue
    json.dump(out, sys.stdout, indent=1, sort_keys=True)


def ufuncs():
    import numpy as np

    names = sorted(name for name in dir(np) if isinstance(getattr(np, name), np.ufunc))
    home = "numpy._core._multiarray_umath" if hasattr(np, "_core") else "numpy.core._multiarray_umath"
    scalars = sorted(name for name in dir(np) if inspect.isclass(getattr(np, name)) and issubclass(getattr(np, name), np.generic) and not name.startswith("_"))
    out = {"numpy": sorted({*names, *scalars}), home: names}
    dtypes = sys.modules.get("numpy.dtypes")
    if dtypes is not None:
        out["numpy.dtypes"] = sorted(name for name in dir(dtypes) if name.endswith("DType"))
    return out


def sparse_and_splines():
    import scipy.interpolate
    import scipy.sparse

    found = {}
    for package, pattern in ((scipy.sparse, r"_(matrix|array)$"), (scipy.interpolate, r"^(interp1d|PPoly|BPoly|_?BSpline|CubicSpline|PchipInterpolator|Akima1DInterpolator|UnivariateSpline|InterpolatedUnivariateSpline|LSQUnivariateSpline|RectBivariateSpline|RegularGridInterpolator|RBFInterpolator)$")):
        for name in dir(package):
            value = getattr(package, name)
            if inspect.isclass(value) and re.search(pattern, name):
                found.setdefault(value.__module__, set()).add(value.__qualname__)
    import scipy.spatial

    for name in ("cKDTree", "KDTree"):
        value = getattr(scipy.spatial, name)
        found.setdefault(value.__module__, set()).add(value.__qualname__)
    return {module: sorted(names) for module, names in found.items()}


def pandas_classes(_):
    import pandas as pd

    found = {}
    for name in dir(pd):
        value = getattr(pd, name)
        if not inspect.isclass(value) or re.search(r"(Excel|HDF|option_|Warning|Error|Option|Writer|File|Grouper|Flags)", name):
            continue
        found.setdefault(value.__module__, set()).add(value.__qualname__)
    return {module: sorted(names) for module, names in found.items()}


def boosters(package):
    base = importlib.import_module("sklearn.base").BaseEstimator
    found = {}
    try:
        importlib.import_module(package + ".sklearn")
    except NameError as error:  # an old xgboost without setuptools
        raise ImportError(package) from error
    for module in [sys.modules[name] for name in list(sys.modules) if name.startswith(package)]:
        for value in list(vars(module).values()):
            if inspect.isclass(value) and value.__module__.split(".")[0] == package and not SKIPPED.search(value.__module__):
                if issubclass(value, base) or value.__name__ in ("Booster", "_LGBMLabelEncoder", "XGBoostLabelEncoder"):
                    found.setdefault(value.__module__, set()).add(value.__qualname__)
    return {module: sorted(names) for module, names in found.items()}


main()
