"""The claims of the two slide decks, and the results of the course that bear on each.

A claim names printed lines of the notebooks as its evidence, and what their numbers must be.  The
lines are read from the stored outputs, and the verdict follows from them: no result and no verdict
is typed in here.

Taught in: notebooks/13_choose_a_network.
"""

import json
import re
from pathlib import Path
from typing import NamedTuple

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
FILES = (  # a copy of a notebook beside it is not read
    "01_see_why_order_matters.ipynb",
    "02_run_a_vanilla_rnn.ipynb",
    "03_backpropagate_through_time.ipynb",
    "04_watch_gradients_vanish.ipynb",
    "05_build_the_forget_gate.ipynb",
    "06_build_the_input_gate.ipynb",
    "07_build_the_output_gate.ipynb",
    "08_train_the_lstm.ipynb",
    "09_use_lstm_layers_in_keras.ipynb",
    "10_stack_lstm_layers.ipynb",
    "11_read_in_both_directions.ipynb",
    "12_streamline_to_a_gru.ipynb",
    "13_choose_a_network.ipynb",
)
MOST, FEW = 0.6, 0.4  # the share of seeds that is called most, and few
NUMBER = r"(\d+ of \d+|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|nan)"
LONGEST = 90  # a longer line is cut behind its number
VERDICTS = ("holds", "holds with limits", "not shown")


class Evidence(NamedTuple):
    """Name a printed line and what its number must be to count.

    place: "12.9" for section 9 of notebook 12, "08.0" for what stands before section 1.  line: the
    start of the line; # stands for the number, or for "k of n", whose share counts; * for anything.
    It counts when the number is in [at_least, at_most]; without bounds, when the line is there.
    about: what the line is about, where it does not say so itself.

    Taught in: notebooks/13_choose_a_network, section 9
    """

    place: str
    line: str
    at_least: float | None = None
    at_most: float | None = None
    about: str = ""


class Claim(NamedTuple):
    """Hold a sentence of the slides with its evidence.

    row: the row of the slide map; supports: what must count for the claim to hold; limits: what
    limits it when it counts; slip: True for the rows that the course corrects.

    Taught in: notebooks/13_choose_a_network, section 9
    """

    row: str
    sentence: str
    supports: tuple[Evidence, ...] = ()
    limits: tuple[Evidence, ...] = ()
    slip: bool = False


class Finding(NamedTuple):
    """Hold the line that was found for a piece of evidence (None: there is none), and if it counts.

    Taught in: notebooks/13_choose_a_network, section 9
    """

    evidence: Evidence
    line: str | None
    counts: bool


def most(place, line, about=""):
    """Ask for "k of n" with at least 60 % of the seeds."""
    return Evidence(place, line, at_least=MOST, about=about)


def few(place, line, about=""):
    """Ask for "k of n" with at most 40 % of the seeds."""
    return Evidence(place, line, at_most=FEW, about=about)


def number(place, line, about="", at_least=None, at_most=None):
    """Ask for a number between two bounds; without bounds, for the line."""
    return Evidence(place, line, at_least, at_most, about)


def stored_lines(notebook, folder=NOTEBOOKS):
    """Read the lines that a notebook has printed and stored -> {section: [line, ...]}.

    notebook: "08"; the section is the number of its heading, "0" before the first one.  A notebook
    that is missing or not executed gives no lines.

    Taught in: notebooks/13_choose_a_network, section 9
    """
    lines, section = {}, "0"
    path = _path(notebook, folder)
    if path is not None:
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                heads = re.findall(r"^## +(\d*)", "".join(cell["source"]), re.MULTILINE)
                section = heads[-1] if heads else section
            for output in cell.get("outputs", []):
                if output.get("name") == "stdout":
                    lines.setdefault(section, []).extend("".join(output["text"]).splitlines())
    return lines


def _path(notebook, folder):
    """The file of a notebook, or None when it is not there."""
    paths = (Path(folder) / name for name in FILES if name.startswith(notebook))
    return next((path for path in paths if path.is_file()), None)


def find(evidence, lines):
    """Look for a piece of evidence among printed lines -> Finding; the first line that fits."""
    parts = re.split(r"([#*])", evidence.line)
    pattern = "".join({"#": NUMBER, "*": ".*?"}.get(part, re.escape(part)) for part in parts)
    pattern = re.sub(r"(\\ )+", r"\\s+", pattern) + r"(?![\w.])"
    for line in lines:
        if match := re.match(r"\s*" + pattern, line):
            words = line if len(line) <= LONGEST else f"{match[0]} ..."
            return Finding(evidence, " ".join(words.split()), _in_bounds(evidence, match))
    return Finding(evidence, None, False)


def _in_bounds(evidence, match):
    if evidence.at_least is None and evidence.at_most is None:
        return True
    text = match[1]
    value = float(text) if " of " not in text else _share(*text.split(" of "))
    low = -float("inf") if evidence.at_least is None else evidence.at_least
    high = float("inf") if evidence.at_most is None else evidence.at_most
    return low <= value <= high


def _share(k, n):
    return int(k) / max(int(n), 1)


def judge(claim, printed):
    """Judge a claim by printed lines -> (verdict, findings for, findings that limit).

    printed: {"08": {section: [line, ...]}, ...} as `stored_lines` reads them.  All supports count
    and no limit does: "holds".  No support counts, or there is none: "not shown".  Else: "holds
    with limits".  A line that is missing: "open", because its notebook has to be run first.

    Taught in: notebooks/13_choose_a_network, section 9
    """
    found = []
    for pieces in (claim.supports, claim.limits):
        places = [piece.place.split(".") for piece in pieces]
        lines = [printed.get(number, {}).get(section, []) for number, section in places]
        found.append([find(piece, there) for piece, there in zip(pieces, lines, strict=True)])
    supports, limits = found
    if any(finding.line is None for finding in supports + limits):
        return "open", supports, limits
    if not any(finding.counts for finding in supports):
        return "not shown", supports, limits
    whole = all(finding.counts for finding in supports)
    clear = whole and not any(finding.counts for finding in limits)
    return ("holds" if clear else "holds with limits"), supports, limits


def claims_table(claims, printed, folder=NOTEBOOKS):
    """Write the claims with their evidence and verdicts as a table in Markdown.

    Taught in: notebooks/13_choose_a_network, section 9
    """
    head = ["row", "what the slides say", "what we measured", "verdict"]
    rows = ["| " + " | ".join(head) + " |", "| --- | --- | --- | --- |"]
    for claim in claims:
        verdict, supports, limits = judge(claim, printed)
        proof = [
            _proof(finding, folder, "" if finding.counts else "not so: ") for finding in supports
        ]
        shown = [finding for finding in limits if finding.counts or finding.line is None]
        proof += [_proof(finding, folder, "but: ") for finding in shown]
        proof = "<br>".join(proof) or "no experiment in notebooks 01 to 13"
        row = f"{claim.row} (!)" if claim.slip else claim.row
        rows.append(f"| {row} | {claim.sentence} | {proof} | **{verdict}** |")
    return "\n".join(rows)


def _proof(finding, folder, mark):
    """One line of proof: the mark, the printed words, where they stand."""
    notebook, section = finding.evidence.place.split(".")
    path = _path(notebook, folder)
    where = f"{notebook}, section {section}" if section != "0" else f"{notebook}, start"
    where = f"[{where}]({path.name})" if path is not None and notebook != "13" else where
    if finding.line is None:
        return f"no stored line: run notebook {notebook} and save it ({where})"
    words = finding.line.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")
    about = f"{finding.evidence.about}: " if finding.evidence.about else ""
    return f"{mark}{about}{words} ({where})"


CLAIMS = (
    Claim(
        "1.1",
        "A memory lets earlier inputs influence the present output",
        (most("02.10", "orthogonal: above 1 % at step 5: #", "influence of a step"),),
        (most("02.10", "orthogonal: below 1 % at step 25: #", "influence of a step"),),
    ),
    Claim(
        "1.1",
        "A one-directional network cannot use future events",
        (
            most("11.1", "forward net at ln 2, within 1 %: #", "XOR of the neighbours"),
            most("11.8", "forward, after: less than a third right: #", "reports, trigger"),
        ),
    ),
    Claim(
        "1.6",
        "One picture of a ball does not tell where it goes; several do",
        (
            number("01.4", "possible positions after (one, two) pictures: (#, 1)", at_least=2),
            most("01.5", "runs where 20 beat 5: #", "error from the last measurements"),
        ),
    ),
    Claim(
        "1.8",
        "A recurrence relation at every step; printed h_t = f_W(x_t, h_t)",
        (number("02.3", "as meant influence of the first input*: #", "with h_{t-1}", 1e-3),),
        (number("02.3", "as printed influence of the first input*: #", "with h_t", 0, 0),),
        slip=True,
    ),
    Claim(
        "1.10",
        "Feed-forward networks fail at other lengths, long gaps, order and moved patterns",
        (
            most("01.6", "T = 20: at most 0.65: #", "accuracy at another length"),
            most("01.6", "T = 160, fresh sequences: at most 0.80: #", "accuracy over a long gap"),
            most("01.3", "at most 0.80: #", "bag of words, accuracy on order"),
            most("01.6", "row network, late pairs: at most 0.85: #", "accuracy on a moved pattern"),
        ),
    ),
    Claim(
        "1.11",
        "Many small numbers are multiplied, so errors from further back have smaller gradients",
        (
            most("03.8", "the last one counts at least 10 times more: #", "gradient, 20 steps"),
            number("04.3", "share of the last 10 of 60 steps: ['g = 0.5: #", "gradient", 0.9),
        ),
        (
            number("03.8", "W_hh times 1.5: after 29 steps back the gradient is #", "", 1000),
            number("04.3", "['U = 4*U = 256: radius 2.4, norm #", "weights of size 0.15", 1000),
        ),
        slip=True,
    ),
    Claim(
        "1.12",
        "LSTM: remembers for long periods",
        (most("08.3", "b_f = 3 #", "a sign kept for 100 steps"),),
        (
            few("08.3", "b_f = 0 #", "a sign kept for 100 steps"),
            number("05.4", "b_f = 0: half-life #", "memory at rest", 0, 2),
        ),
    ),
    Claim(
        "1.13",
        "Partially uninterrupted gradient flow",
        (
            number("08.2", "the road alone is the product of F"),
            number("08.2", "b_f = 3: *, road alone #", "gradient left after 99 steps", 1e-3, 1),
        ),
    ),
    Claim(
        "1.15",
        "The memory cell keeps its state and controls what it forgets",
        (
            most("08.6", "forget gate #", "endless stream"),
            few("08.6", "no gate #", "endless stream"),
        ),
    ),
    Claim(
        "1.16",
        "The gates make selective updates",
        (
            number("07.4", "kept units change below 0.0001: True"),
            most("06.5", "hold, with the door: #", "a value held among distractors"),
            few("06.5", "hold, I = 1, one unit: #", "a value held among distractors"),
        ),
    ),
    Claim(
        "1.16",
        "Each gate has a job of its own",
        (
            most("07.7", "full: reached: #", "register, one unit"),
            few("07.7", "I = 1: reached: #", "register, one unit"),
            few("07.7", "F = 1: reached: #", "register, one unit"),
            few("07.7", "O = 1: reached: #", "register, one unit"),
        ),
        (most("07.9", "O = 1, four units: reached: #", "register"),),
    ),
    Claim(
        "1.17",
        "Training stability: mitigates vanishing gradients",
        (
            number("08.2", "b_f = 3: #, road", "gradient left after 99 steps", 0.1),
            most("13.4", "order: LSTM better than the RNN: #", "pairs"),
        ),
        (number("08.0", "LSTM: # of the gradient is left", "b_f = 0", 0, 1e-12),),
        slip=True,
    ),
    Claim(
        "1.17",
        "Training stability: mitigates exploding gradients",
        (
            number("08.7", "gain 6: # after 99 steps", "gradient, large weights", 0, 10),
            number("08.7", "no clipping *, 1.0: #} of 10", "solved at two rates", 7),
        ),
        slip=True,
    ),
    Claim(
        "1.18",
        "Stronger learning: language modelling",
        (
            most("09.7", "LSTM below the RNN of the same seed: #", "source code"),
            most("13.6", "text, equal width: LSTM better than the RNN: #", "pairs"),
        ),
        (
            number("13.6", "text: LSTM better than the RNN: #", "pairs, equal parameters", 0, 0.9),
            few("09.7", "LSTM below the 4-gram: #", "source code"),
            few("09.7", "LSTM below lzma + 0.5: #", "source code"),
        ),
    ),
    Claim(
        "1.18",
        "Stronger learning: time series forecasting",
        (most("11.10", "forward: within 5 % of the best: #", "LSTM, noisy series"),),
        (most("03.11", "full: solved: #", "a vanilla RNN, noisy ball"),),
    ),
    Claim("1.18", "Stronger learning: translation"),
    Claim("1.19", "Translation, speech recognition, image captioning"),
    Claim(
        "2.3",
        "Early values count less; short-term memory is lost fast",
        (
            most("03.8", "the last one counts at least 10 times more: #", "gradient, 20 steps"),
            few("05.0", "orthogonal: networks that solve T = 80: #", "temporal order"),
        ),
        (most("02.10", "quiet inputs: above 20 % at step 25: #", "influence of a step"),),
    ),
    Claim(
        "2.5",
        "The order of words carries meaning",
        (
            most("01.3", "networks within 0.1 nats of the line: #", "bag of words at its limit"),
            most("01.3", "row of steps, order: at least 0.95: #"),
        ),
    ),
    Claim(
        "2.6",
        "LSTM deals with the vanishing gradient and lets information persist",
        (most("08.3", "b_f = 3 #", "a sign kept for 100 steps"),),
        (few("08.3", "b_f = 1 #", "a sign kept for 100 steps"),),
    ),
    Claim(
        "2.7",
        "Sigmoid and its derivative, as printed code",
        (number("05.1", "sigmoid steepest slope #", "equal to differences", 0.25, 0.25),),
        (number("05.1", "sigmoid_as_printed at -1000: overflow"),),
        slip=True,
    ),
    Claim(
        "2.8",
        "tanh and its derivative, as printed code",
        (number("05.1", "tanh steepest slope #", "equal to differences", 1, 1),),
        (number("05.1", "tanh_as_printed at 1000: overflow*nan"),),
        slip=True,
    ),
    Claim(
        "2.12",
        "H_t = O_t * tanh(C_t), under the subtitle *input gate*",
        (number("07.3", "equal to 1e-14: True", "the formula, against `LSTMCell`"),),
        (number("07.2", "b_o: H changes True, C changes False", "the gate that is nudged"),),
        slip=True,
    ),
    Claim(
        "2.14",
        "Stacked layers: several LSTM neurons form a layer",
        (number("10.3", "wide, 8 *, parameters #", "that is width", 1),),
        (number("10.3", "depth 3: cells on a path #", "depth is cells within a step", 12),),
        slip=True,
    ),
    Claim(
        "2.14",
        "Stacked layers make a network better",
        (
            few("10.7", "1 layer below 2 layers: #", "real text"),
            few("10.8", "1 layer below 3 layers: #", "embedded Reber"),
            most("13.5", "brackets, equal width: stacked better than LSTM: #", "pairs"),
        ),
        (few("13.4", "brackets: stacked better than LSTM: #", "pairs, equal parameters"),),
        slip=True,
    ),
    Claim(
        "2.15",
        "Bidirectional: past and future context, better understanding",
        (
            most("11.6", "two-sided below the filter and every forward seed: #", "hidden labels"),
            most("11.8", "both, every place: more than 97 % right: #", "reports"),
            most("13.4", "labels: bidirectional better than LSTM: #", "pairs"),
        ),
        (
            most("11.6", "forward 12 within 5 % of the best: #", "where the past decides"),
            most("11.10", "two-sided in use: no better than ln 10: #", "prediction"),
        ),
    ),
    Claim(
        "2.16",
        "GRU: a streamlined LSTM",
        (
            number("12.1", "LSTM: # parameters", "", 100),
            number("12.3", "GRU: # parameters", "", 1, 96),
        ),
        slip=True,
    ),
    Claim(
        "2.16",
        "GRU: comparable performance",
        (
            most("12.10", "GRU, 7 units: within 5 % of the filter: #", "hidden labels"),
            most("13.6", "text: GRU better than LSTM: #", "pairs"),
        ),
        (
            few("12.9", "GRU: reach of 40: #", "counting"),
            few("13.4", "counting: GRU better than LSTM: #", "pairs"),
            few("13.4", "brackets: GRU better than LSTM: #", "pairs"),
        ),
        slip=True,
    ),
)
