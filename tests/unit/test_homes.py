"""Which models a run judges."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_mlops import MlopsUsageError
from pytest_mlops.homes import Homes, find

POLICY = "[gate]\n"


def policies(root: Path, *folders: str) -> None:
    for folder in folders:
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / "mlops.toml").write_text(POLICY)


def found(root: Path, *asked: str, policy: Path | None = None, champion: Path | None = None) -> Homes:
    return find(root, [root / name for name in asked or ("",)], policy=policy, champion=champion, ignored=["build"])


def folders(homes: Homes) -> list[str]:
    return [home.folder for home in homes if home.policy_path is not None]


def test_without_a_policy_there_is_one_model_at_the_root(tmp_path: Path) -> None:
    (home,) = found(tmp_path)
    assert (home.folder, home.model, home.policy_path) == ("", "model", None)
    assert home.champion == tmp_path / ".mlops/champion"


def test_above_and_below_what_was_asked(tmp_path: Path) -> None:
    policies(tmp_path, "a", "a/inner", "b")
    (tmp_path / "a/tests").mkdir()
    assert folders(found(tmp_path)) == ["a", "a/inner", "b"]
    assert folders(found(tmp_path, "a/tests")) == ["a"]
    assert folders(found(tmp_path, "a/inner")) == ["a/inner"]
    assert folders(found(tmp_path, "a/mlops.toml")) == ["a"]
    assert folders(found(tmp_path, "a/inner", "b")) == ["a/inner", "b"]


def test_the_nearest_one_counts(tmp_path: Path) -> None:
    policies(tmp_path, "", "a", "a/inner")
    homes = found(tmp_path)
    belongs = {name: homes.of(tmp_path / name).folder for name in ("x.py", "a/x.py", "a/inner/deep/x.py", "ab/x.py")}
    assert belongs == {"x.py": "", "a/x.py": "a", "a/inner/deep/x.py": "a/inner", "ab/x.py": ""}
    assert homes.of(tmp_path.parent / "elsewhere.py").folder == ""


def test_folders_that_hold_no_models(tmp_path: Path) -> None:
    policies(tmp_path, ".hidden", "node_modules", "build", "venv-like", "good")
    (tmp_path / "venv-like/pyvenv.cfg").touch()
    assert folders(found(tmp_path)) == ["good"]


def test_names(tmp_path: Path) -> None:
    policies(tmp_path, "credit", "x/churn", "y/churn")
    homes = found(tmp_path)
    assert [home.model for home in homes] == ["model", "credit", "churn", "churn"]
    assert homes.same_names() == {"churn": ["x/churn/mlops.toml", "y/churn/mlops.toml"]}


def test_workers_are_told_the_same(tmp_path: Path) -> None:
    policies(tmp_path, "credit")
    homes = found(tmp_path, champion=tmp_path)
    assert [home.model for home in homes] == ["model", "credit"]  # what was read is not told
    again = Homes.from_builtins(tmp_path, homes.to_builtins())
    assert again.to_builtins() == homes.to_builtins()


def test_a_checkout_of_the_base_branch(tmp_path: Path) -> None:
    root, base = tmp_path / "root", tmp_path / "base"
    policies(root, "here", "both")
    policies(base, "there", "both")
    homes = {home.folder: home for home in found(root, policy=base, champion=base)}
    assert homes["both"].policy_path == base / "both/mlops.toml"
    assert (homes["here"].unreviewed, homes["there"].unreviewed, homes["both"].unreviewed) == (True, False, False)
    assert homes["there"].collected is None
    assert homes["both"].champion == base / "both/.mlops/champion"
    assert all(home.given for home in homes.values() if home.policy_path)


def test_one_file_for_one_model(tmp_path: Path) -> None:
    policies(tmp_path / "root", "credit")
    policies(tmp_path / "base", "")
    homes = found(tmp_path / "root", policy=tmp_path / "base/mlops.toml")
    assert [(home.folder, home.policy_path) for home in homes][1] == ("credit", tmp_path / "base/mlops.toml")


def test_one_champion_for_two_models(tmp_path: Path) -> None:
    policies(tmp_path, "a", "b")
    (tmp_path / "record.json").touch()
    with pytest.raises(MlopsUsageError, match="one model's record, but there are 2 models here"):
        found(tmp_path, champion=tmp_path)


def test_a_policy_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "mlops.toml").write_text("[gate")
    (home,) = found(tmp_path)
    assert "mlops.toml:1: is no TOML" in (home.trouble or "")
    assert (home.model, home.confidence, home.readable) == ("model", 0.95, None)


def test_links_hide_no_policy(tmp_path: Path) -> None:
    policies(tmp_path / "real", "credit")
    policies(tmp_path / "apart", "churn")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "real/linked").symlink_to(tmp_path / "apart/churn")
    (tmp_path / "real/credit/round").symlink_to(tmp_path / "real")
    for root, asked in (("real", "link"), ("link", "real"), ("link", "link")):
        homes = find(tmp_path / root, [tmp_path / asked], policy=None, champion=None)
        assert folders(homes) == ["credit", "linked"]
        assert homes.collecting(tmp_path / "real/credit/mlops.toml") is not None
