"""The public repository: complete for readers and students, and without a line of what grades them."""

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import nbformat
import pytest
import yaml

from autograder import master, publish, release
from autograder.publish import PublishError
from tests.published import broken_links, files

ROOT = Path(__file__).parents[1]
GENERIC = {"except Exception as error:", "except Exception:"}  # in hidden tests and in the library alike


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    return publish.publish(tmp_path_factory.mktemp("public") / "course").folder


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    return publish.publish(tmp_path_factory.mktemp("solved") / "course", solutions=True).folder


def lines(text):
    return {line.strip() for line in text.splitlines() if len(line.strip()) >= 12}


def cells(role):
    """The lines of these cells of all masters, and those that students see."""
    found, visible = set(), set()
    for assignment in map(master.Master.read, master.names()):
        for cell in filter(role, assignment.notebook.cells):
            found |= lines(cell.source)
        for cell in json.loads(release.assignment_path(assignment.name).read_text())["cells"]:
            visible |= lines("".join(cell["source"]))
    return found - visible


def texts(path):
    """A file as it stands; a notebook's cells and outputs also as they are shown."""
    text = path.read_bytes().decode("utf-8", errors="replace")
    if path.suffix != ".ipynb":
        return text
    return text + "\n" + json.dumps(json.loads(text), ensure_ascii=False).replace('\\"', '"')


@pytest.mark.parametrize("folder", ["public", "solved"])
def test_no_line_of_a_hidden_test_is_anywhere(folder, request):
    hidden = cells(master.is_test) - GENERIC
    hidden = {line for line in hidden if not line.startswith(("import ", "from "))}
    assert len(hidden) > 200
    published = files(request.getfixturevalue(folder))
    assert [(name, line) for name, path in published.items() for line in hidden if line in texts(path)] == []


def test_no_line_of_a_solution_is_published_unasked(public):
    solutions = cells(lambda cell: master.is_answer(cell) or master.is_written(cell))
    assert len(solutions) > 20
    found = [
        (name, line)
        for name, path in files(public).items()
        for line in solutions
        if re.search(rf"(^|\n|\\n|\")\s*{re.escape(line)}\s*(\n|\\n|\"|$)", texts(path))
    ]
    assert found == []


def test_the_search_would_find_them():
    hidden, solutions = cells(master.is_test) - GENERIC, cells(master.is_answer)
    text = master.Master.read("gridworld").source
    assert sum(line in text for line in hidden) > 50 and sum(line in text for line in solutions) > 5


@pytest.mark.parametrize("folder", ["public", "solved"])
def test_nothing_of_the_instructors_side_is_there(folder, request):
    published = files(request.getfixturevalue(folder))
    tops = {name.partition("/")[0] for name in published}
    allowed = {
        *("assignments", "chapters", "policy_gradients", "README.md", "LICENSE", "pyproject.toml"),
        *("constraints.txt", "environment.yml", "Makefile", "_config.yml", "_toc.yml", "genindex.md"),
        *(".gitignore", publish.MARKER, "benchmarks", "colab", ".github", "CONTRIBUTING.md"),
        *("CITATION.cff", "LICENSE-TEXT", "lychee.toml"),
    }
    assert tops <= allowed | ({"solutions"} if folder == "solved" else set())
    assert all(name.startswith("benchmarks/results/") for name in published if name.startswith("bench"))
    assert not [name for name in published if "__pycache__" in name or name.endswith((".pyc", ".db"))]
    for name in master.names():
        assert f"assignments/{name}/{name}.ipynb" in published
        assert (f"solutions/{name}.ipynb" in published) == (folder == "solved")


@pytest.mark.parametrize("folder", ["public", "solved"])
def test_what_is_for_instructors_is_left_out(folder, request):
    folder = request.getfixturevalue(folder)
    for name, path in files(folder).items():
        text = path.read_bytes()
        for word in (b"HIDDEN TESTS", b"BEGIN SOLUTION", b"INSTRUCTORS", b"for_instructors", b"audience:"):
            assert word not in text, name
    assert "For instructors" not in (folder / "_toc.yml").read_text()
    shown = "".join(path.read_text() for path in folder.rglob("*.md"))
    assert all(path.name in shown for path in (folder / "chapters" / "images").iterdir())


def test_only_what_git_tracks_is_published(public):
    listed = subprocess.run(["git", "-C", ROOT, "ls-files"], capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("This copy of the project is no git repository, so nothing says what is tracked.")
    made = {"pyproject.toml", "environment.yml", "_toc.yml", *publish._templates()}
    made |= {name for name in files(public) if re.fullmatch(r"colab/\w+\.ipynb", name)}  # from the chapters
    assert set(files(public)) - made - {publish.MARKER} <= set(listed.stdout.splitlines())


@pytest.mark.parametrize("folder", ["public", "solved"])
def test_the_table_of_contents_names_the_pages_that_are_there(folder, request):
    folder = request.getfixturevalue(folder)
    contents = yaml.safe_load((folder / "_toc.yml").read_text())
    pages = [contents["root"], *(page["file"] for part in contents["parts"] for page in part["chapters"])]
    assert all(part["chapters"] for part in contents["parts"])
    for page in pages:
        assert [path.suffix for path in folder.glob(f"{page}.*")] in ([".md"], [".ipynb"]), page
    notebooks = {page for page in pages if page.startswith("solutions/")}
    assert bool(notebooks) == (folder / "solutions").exists()


def test_every_link_and_picture_leads_to_a_file_that_is_there(public):
    assert broken_links(public) == []


def test_every_executable_chapter_is_there_for_colab(public):
    chapters = [path for path in (public / "chapters").glob("*.md") if "\ncolab: [" in path.read_text()]
    assert len(chapters) > 10
    assert {path.stem for path in (public / "colab").glob("*.ipynb")} == {path.stem for path in chapters}
    readme = (public / "README.md").read_text()
    for path in chapters:
        assert f"]({master.colab_url(f'colab/{path.stem}.ipynb')})" in readme
    for name in ("install.py", "constraints.txt"):
        assert (public / "colab" / name).read_bytes() == (ROOT / "colab" / name).read_bytes()


def test_every_link_to_colab_leads_to_a_notebook_that_is_there(public):
    prefix = master.colab_url("")
    for name, path in files(public).items():
        for link in re.findall(rf"{re.escape(prefix)}([\w./-]+\.ipynb)", texts(path)):
            assert (public / link).exists(), f"{name}: {link}"


def test_a_repository_on_github_finds_its_workflows_licences_and_forms(public):
    workflows = {path.stem: yaml.safe_load(path.read_text()) for path in public.glob(".github/workflows/*")}
    assert set(workflows) == {"book", "links", "colab"}
    targets = set(re.findall(r"^([a-z]+):", (public / "Makefile").read_text(), re.MULTILINE))
    for name, workflow in workflows.items():
        assert workflow["permissions"] == {"contents": "read"} and workflow["concurrency"], name
        for job in workflow["jobs"].values():
            assert job["timeout-minutes"] and all(
                re.search(r"@v\d+$", step["uses"]) for step in job["steps"] if "uses" in step
            )
            for script in (step["run"] for step in job["steps"] if "run" in step):
                assert subprocess.run(["bash", "-n"], input=script, text=True).returncode == 0
                assert set(re.findall(r"make (\w+)", script)) <= targets
                for path in re.findall(r"/published/([\w./]+)", script):
                    assert (public / path).exists()
    assert workflows["book"][True]["push"]["branches"] == ["main"]  # YAML takes `on` for true
    assert workflows["colab"]["jobs"]["report"]["permissions"] == {"issues": "write"}
    for form in ("page", "notebook"):
        assert yaml.safe_load((public / f".github/ISSUE_TEMPLATE/{form}.yml").read_text())["body"]
    citation = yaml.safe_load((public / "CITATION.cff").read_text())
    assert citation["repository-code"] == master.repository_url() and citation["authors"][0]["name"]
    text = (public / "LICENSE-TEXT").read_text()
    assert "Attribution 4.0 International Public License" in text and "Section 8 – Interpretation." in text


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("raise NotImplementedError('an answer')", 0),
        ("import a_package_that_colab_lacks", 1),
        ("undefined", 1),
    ],
)
def test_the_check_for_colab_lets_pass_only_missing_answers(public, tmp_path, source, code):
    cells = [nbformat.v4.new_code_cell("import math"), nbformat.v4.new_code_cell(source)]
    cells += [nbformat.v4.new_code_cell("import json\nundefined", metadata={"tags": ["training"]})]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "tried.ipynb")
    command = [sys.executable, public / "colab" / "check.py", tmp_path / "tried.ipynb"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert ("Code cell 2 stopped with" in done.stdout) == bool(code)


def test_a_tracked_file_beside_an_assignment_is_published_with_it(tmp_path, monkeypatch):
    beside, tracked = ROOT / "assignments" / "gridworld" / "maze.csv", publish._tracked()
    monkeypatch.setattr(publish, "_tracked", lambda: tracked | {beside})
    try:
        beside.write_text("x,y\n")
        published = publish.publish(tmp_path / "course")
    finally:
        beside.unlink()
    assert "assignments/gridworld/maze.csv" in published.files


def test_a_solution_is_published_only_with_its_assignment():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    for part in toc["parts"]:
        part["chapters"] = [page for page in part["chapters"] if page["file"] != "assignments/grpo/grpo"]
    toc["parts"].append({"caption": "Emptied", "chapters": None})
    toc["parts"].append({"caption": "Mine", "chapters": [{"file": "a", "sections": [{"file": "b.md"}]}]})
    shown = publish._public_toc(toc, solutions=True)
    pages = list(publish._pages(shown))
    assert "solutions/gridworld" in pages and "solutions/grpo" not in pages and pages[-2:] == ["a", "b"]
    captions = [part["caption"] for part in shown["parts"]]
    assert "Emptied" not in captions and "For instructors" not in captions


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("See {doc}`grpo` and {doc}`notation`.", "See GRPO and {doc}`notation`."),
        ("See {doc}`that chapter <grpo>`.", "See that chapter."),
        ("See {doc}`/assignments/never/never`.", "See Never."),
        ("See {doc}`/solutions/grpo`.", "See GRPO on LunarLander."),
        ("It ({colab}`grpo`,\n{download}`file <../assignments/grpo/grpo.ipynb>`) is.", "It is."),
        ("It ({colab}`grpo`, {colab}`gridworld`).", "It (GRPO on LunarLander, {colab}`gridworld`)."),
        ("[This](grpo.md#sec) and [that](notation.md).", "This and [that](notation.md)."),
        ("In {ref}`its section <sec-gone>`, {eq}`sec-gone`.", "In its section, Sec gone."),
        (":link: grpo\n:link-type: doc\n:footer: Read\n", ":footer: Read\n"),
        ("```{note}\n{doc}`grpo`\n```\n", "```{note}\nGRPO\n```\n"),
        ("```\n{doc}`grpo`\n```\n{doc}`grpo`", "```\n{doc}`grpo`\n```\nGRPO"),
        ("Write `` {doc}`grpo` ``", "Write `` GRPO ``"),
        ("`{doc}`", "`{doc}`"),
    ],
)
def test_links_to_what_is_left_out_are_text(text, left):
    listed = ["chapters/index", "chapters/notation", "assignments/gridworld/gridworld"]
    edition = publish._left_out().Edition(frozenset(listed), (ROOT,))
    assert edition.without_dead_links("chapters/index", text)[0] == left


def test_the_course_as_it_is_leaves_nothing_out():
    """A misspelt link would be text, too: in the whole course there is none."""
    pages = list(publish._pages(publish._toc()))
    edition = publish._left_out().Edition(frozenset(pages), (ROOT,))
    texts = [page for page in pages if (ROOT / f"{page}.md").exists()]
    assert len(texts) > 20
    for page in texts:
        text = (ROOT / f"{page}.md").read_text()
        assert edition.without_dead_links(page, text) == (text, set()), page


def test_an_assignment_without_a_master_and_a_broken_table_of_contents_are_named(tmp_path, monkeypatch):
    for text, message in [
        ("root: chapters/index\nchapters: [{file: assignments/gone/gone}]", "no autograder/masters/gone.py"),
        ("root: [", "_toc.yml is not valid YAML"),
        ("parts: []", "has no `root:`"),
    ]:
        root = tmp_path / "root"
        root.mkdir(exist_ok=True)
        (root / "_toc.yml").write_text(text)
        monkeypatch.setattr(publish, "ROOT", root)
        with pytest.raises(PublishError, match=message):
            publish._write_tree(tmp_path / "tree", False)


def test_pip_installs_the_library_and_nothing_of_the_engine(public, tmp_path):
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "-q",
        "-w",
        tmp_path,
    ]
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", public, copy], check=True)  # building writes into the tree
    done = subprocess.run([*command, copy], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "installed")
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {"policy_gradients"}
    assert not [name for name in names if name.endswith("entry_points.txt")]
    script = "import policy_gradients.checks as checks; print(checks.__file__)"
    environment = {"PYTHONPATH": str(tmp_path / "installed"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert done.stdout.startswith(str(tmp_path / "installed")), done.stderr


def test_the_project_file_keeps_what_students_need(public):
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    theirs = tomllib.loads((public / "pyproject.toml").read_text())["project"]
    extras = theirs.pop("optional-dependencies")
    assert "scripts" not in theirs
    for key, value in theirs.items():
        assert value == ours[key]
    ours = ours["optional-dependencies"]
    assert not {"grading", "test"} & set(extras)
    assert all(extras[name] == ours[name] for name in set(extras) - {"all"})
    assert {"jax", "torch", "box2d", "book", "notebook"} <= set(extras)
    asked = set(re.findall(r"[\w-]+", extras["all"][0].partition("[")[2]))
    assert asked == set(extras) - {"all"}
    listed = yaml.safe_load((public / "environment.yml").read_text())["dependencies"][-1]["pip"]
    assert [line for line in listed if line.startswith("matplotlib")]
    assert not [line for line in listed if line.startswith("nbgrader")]


def test_publishing_again_changes_what_changed_and_keeps_the_instructors_own(tmp_path):
    folder = tmp_path / "course"
    subprocess.run(["git", "init", "-q", folder], check=True)
    publish.publish(folder, solutions=True)
    head = (folder / ".git" / "HEAD").read_bytes()
    (folder / "CNAME").write_text("course.example.org")
    (folder / "README.md").write_text("old")
    chapter = folder / "chapters" / "index.md"
    chapter.unlink()
    published = publish.publish(folder)
    assert (folder / ".git" / "HEAD").read_bytes() == head
    assert (folder / "CNAME").read_text() == "course.example.org"
    assert chapter.exists() and "# Policy gradients" in (folder / "README.md").read_text()
    assert not (folder / "solutions").exists()
    mine = {name for name in files(folder) if not name.startswith(".git/")} - {"CNAME"}
    assert mine == set(published.files)
    assert [path.name for path in tmp_path.iterdir()] == ["course"]


@pytest.mark.parametrize(
    "content",
    ["notes.txt", publish.MARKER],  # a folder of somebody else's; a marker that is none
)
def test_a_folder_that_holds_something_else_is_refused_and_kept(tmp_path, content):
    (tmp_path / content).write_text("mine")
    with pytest.raises(PublishError, match="not empty, and not an earlier publication"):
        publish.publish(tmp_path)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


def test_a_marker_cannot_make_it_remove_files_elsewhere(tmp_path):
    (tmp_path / "outside").write_text("mine")
    folder = tmp_path / "course"
    folder.mkdir()
    names = ["../outside", str(tmp_path / "outside"), ".git/config", ""]
    (folder / publish.MARKER).write_text(json.dumps({"files": names}))
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("mine")
    publish.publish(folder)
    assert (tmp_path / "outside").read_text() == (folder / ".git" / "config").read_text() == "mine"


def test_a_page_of_the_book_that_is_not_tracked_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "_tracked", lambda: {ROOT / "LICENSE"})
    with pytest.raises(PublishError, match="names chapters/index, .*git does not track it"):
        publish.publish(tmp_path / "course")
    assert list(tmp_path.iterdir()) == []


def test_notebooks_that_are_not_those_of_the_masters_are_not_published(tmp_path, monkeypatch):
    monkeypatch.setattr(master, "FOLDER", ROOT / "tests" / "masters")  # nothing was released from these
    with pytest.raises(PublishError, match="assignments/tiny/tiny.ipynb is missing: run `autograder release"):
        publish.publish(tmp_path / "course")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", [ROOT, ROOT.parent])
def test_the_courses_own_repository_is_refused(folder):
    with pytest.raises(PublishError, match="the course's own repository"):
        publish.publish(folder)


def test_a_hidden_test_in_a_page_stops_it_before_anything_is_written(tmp_path, monkeypatch):
    hidden = next(iter(publish._hidden_lines()))

    def written(tree, solutions):
        tree.mkdir()
        notebook = {"cells": [{"source": ["x = 1\n", f"    {hidden}\n"]}]}
        (tree / "page.ipynb").write_text(json.dumps(notebook))
        return {}

    monkeypatch.setattr(publish, "_write_tree", written)
    with pytest.raises(PublishError, match="page.ipynb holds a line of a hidden test"):
        publish.publish(tmp_path / "course")
    assert list(tmp_path.iterdir()) == []


def test_the_command_publishes_and_says_what_is_wrong(tmp_path):
    command = [sys.executable, "-m", "autograder.cli", "publish"]
    done = subprocess.run([*command, str(tmp_path / "course")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"to {tmp_path / 'course'}" in done.stdout
    assert ("repository: url" in done.stderr) == ("YOUR_ORGANISATION" in master.repository_url())
    (tmp_path / "notes").write_text("mine")
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 2 and "Traceback" not in done.stderr
