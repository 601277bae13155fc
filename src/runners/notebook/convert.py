"""Runs and converts one notebook with Jupyter. Argument: a JSON file with what to do; the answer is result.json in its folder."""

import hashlib
import json
import os
import re
import sys
import traceback
import warnings

warnings.filterwarnings("ignore")

import nbformat
from nbconvert.exporters import HTMLExporter, NotebookExporter, ScriptExporter
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from traitlets.config import Config

# The page loads nothing: not from the network, and not from a path of this machine, as Debian's templates do.
PAGE = """{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js_requirejs -%}<!-- capstan:require -->{%- endblock -%}
{%- block html_head_js_mathjax -%}<!-- capstan:mathjax -->{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block html_head_css_mathjax -%}{%- endblock -%}
"""


class Refused(Exception):
    def __init__(self, code, message, cell=None):
        super().__init__(message)
        self.answer = {"ok": False, "code": code, "message": message, "cell": cell}


class Client(NotebookClient):
    """Counts what the cells print: a loop that prints for ever would fill the memory before its time is up."""

    limit = 0
    printed = 0
    flooded = False

    def process_message(self, msg, cell, cell_index):
        content = msg.get("content", {})
        if msg.get("msg_type") == "stream":
            self.printed += len(content.get("text", ""))
        elif "data" in content:
            self.printed += sum(len(str(value)) for value in content["data"].values())
        if self.printed > self.limit:
            # The one way out of a running cell that nbclient has: it takes the kernel for dead.
            self.flooded = True
            self.task_poll_for_reply.cancel()
            return None
        return super().process_message(msg, cell, cell_index)


def read(task):
    with open(task["notebook"], encoding="utf-8") as file:
        try:
            notebook = nbformat.read(file, as_version=4)
            nbformat.validate(notebook)
        except Exception as error:
            text = str(error).strip().split("\n")[0][:300]
            raise Refused("notebook_invalid", text or type(error).__name__)
    # Ids that are missing would be drawn at random, and no two builds would be alike.
    if (notebook.nbformat, notebook.nbformat_minor) >= (4, 5):
        for index, cell in enumerate(notebook.cells):
            if not cell.get("id"):
                cell["id"] = hashlib.sha256(f"{index}:{cell.source}".encode()).hexdigest()[:8]
    return notebook


def run(notebook, task):
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import NoSuchKernel

    wanted = task["kernel"] or notebook.metadata.get("kernelspec", {}).get("name") or "python3"
    manager = AsyncKernelManager(kernel_name=wanted)
    if task["ipc"]:
        # Without a network there is not even a loopback.
        manager.transport = "ipc"
    client = Client(
        notebook,
        km=manager,
        timeout=max(1, round(task["cellTimeoutMs"] / 1000)),
        startup_timeout=60,
        record_timing=False,
        resources={"metadata": {"path": task["folder"]}},
    )
    client.limit = task["maxOutputBytes"]
    current = {"cell": None}
    client.on_cell_start = lambda cell, cell_index: current.update(cell=cell_index + 1)
    try:
        client.execute()
    except NoSuchKernel:
        raise Refused("kernel_missing", wanted)
    except CellExecutionError as error:
        raise Refused("cell_failed", failure_of(notebook, current["cell"], error), current["cell"])
    except CellTimeoutError:
        raise Refused("cell_timeout", "", current["cell"])
    except DeadKernelError:
        raise Refused("output_too_large" if client.flooded else "kernel_died", "", current["cell"])


def failure_of(notebook, number, error):
    for output in notebook.cells[number - 1].get("outputs", []):
        if output.get("output_type") == "error":
            return "\n".join([f"{output.ename}: {output.evalue}", *output.traceback])
    return str(error)


def convert(notebook, task, folder):
    templates = os.path.join(folder, "templates")
    os.makedirs(os.path.join(templates, "capstan"), exist_ok=True)
    with open(os.path.join(templates, "capstan", "index.html.j2"), "w", encoding="utf-8") as file:
        file.write(PAGE)
    with open(os.path.join(templates, "capstan", "conf.json"), "w", encoding="utf-8") as file:
        json.dump({"base_template": "lab", "mimetypes": {"text/html": True}}, file)
    config = Config()
    config.TemplateExporter.extra_template_basedirs = [templates]
    config.HTMLExporter.template_name = "capstan"
    config.HTMLExporter.embed_images = True
    exporters = {"html": HTMLExporter, "notebook": NotebookExporter, "script": ScriptExporter}
    made = []
    for name in task["formats"]:
        exporter = exporters[name](config=config if name == "html" else Config())
        resources = {"metadata": {"name": task["name"], "path": task["folder"]}}
        body, resources = exporter.from_notebook_node(notebook, resources=resources)
        extension = {"html": ".html", "notebook": ".ipynb"}.get(name) or resources["output_extension"]
        path = os.path.join(folder, f"output.{name}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(body)
        made.append({"format": name, "file": path, "extension": extension})
    return made


RESERVED = 64 * 1024


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        task = json.load(file)
    folder = os.path.dirname(sys.argv[1])
    path = os.path.join(folder, "result.json")
    # Room for the answer, also where a cell fills the disk.
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(" " * RESERVED)
    try:
        notebook = read(task)
        if task["execute"]:
            run(notebook, task)
        answer = {"ok": True, "outputs": convert(notebook, task, folder)}
    except Refused as refused:
        answer = refused.answer
    except Exception:
        answer = {"ok": False, "code": "conversion_failed", "message": traceback.format_exc()[-2000:], "cell": None}
    with open(path + ".new", "r+", encoding="utf-8") as file:
        json.dump(answer, file)
        file.truncate()
    os.rename(path + ".new", path)


main()
