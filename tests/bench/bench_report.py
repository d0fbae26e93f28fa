"""What a run found: figures against their goals, on the terminal and as the table of docs/performance.md."""

import os
import platform
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench_servers import PEERS

SHOWN = ("rate", "busy", "p99_us", "p99_watched_us", "p999_us", "connections", "page_ms", "scrape_ms", "few_us", "thousand_us", "many_us",
         "cpu_percent", "lost", "on", "off")


@dataclass
class Verdict:
    goal: str
    found: str = ""  # in the goal's terms: a ratio, or the figure
    met: bool | None = None  # None: no figure

    def words(self):
        return "no figure" if self.met is None else "met" if self.met else "NOT met"


def summarize(samples):
    values = [s["value"] for s in samples]
    middle = statistics.median(values)
    best = min(samples, key=lambda s: abs(s["value"] - middle))
    spread = (max(values) - min(values)) / middle * 100 if middle and len(values) > 1 else 0.0
    return {**best, "value": middle, "spread": spread, "rounds": len(values)}


def judge(variant, figures):
    """A verdict for each goal of the variant."""
    own = figures.get("equinox")
    verdicts = []
    plain = [("value", factor, variant.unit) for against, factor in variant.goals if against == "abs"]
    for key, bound, unit in (*plain, *variant.bounds):
        verdict = Verdict(f"≤ {bound:,g} {unit}")
        if own and own.get(key) is not None:
            verdict.found, verdict.met = f"{own[key]:,.0f}" if own[key] >= 100 else f"{own[key]:.3g}", own[key] <= bound
        verdicts.append(verdict)
    for against, factor in variant.goals:
        if against == "abs":
            continue
        verdict = Verdict(f"≤ {factor:g} × {' or '.join(against.split())}")
        values = {n: figures[n]["value"] for n in against.split() if n in figures}
        if own and values:
            best = min(values, key=values.get)
            verdict.found, verdict.met = f"{own['value'] / values[best]:.2f} × {best}", own["value"] <= factor * values[best]
        verdicts.append(verdict)
    return verdicts


def print_variant(variant, figures, notes, verdicts):
    print(f"\n{variant.id}  {variant.title}")
    raw = figures.get("raw", {}).get("value")
    peers = [f["value"] for n, f in figures.items() if n not in ("equinox", "raw")]
    best = min(peers) if peers else None
    print(f"    {'server':<10}{variant.unit:>12}{'× raw':>8}{'× best':>8}{'spread':>8}   more")
    for name, f in sorted(figures.items(), key=lambda item: item[1]["value"]):
        ratio = [f"{f['value'] / base:.2f}" if base else "-" for base in (raw, best)]
        more = " ".join(f"{k}={f[k]:,.0f}" if k == "rate" else f"{k}={f[k]:.4g}" for k in SHOWN if f.get(k) is not None)
        print(f"    {name:<10}{f['value']:>12,.2f}{ratio[0]:>8}{ratio[1]:>8}{f['spread']:>7.1f}%   {more}")
    for verdict in verdicts:
        print(f"    goal {verdict.goal}: {verdict.words()}{f' ({verdict.found})' if verdict.found else ''}")
    for note in dict.fromkeys(notes):
        print(f"    note {note}")
    sys.stdout.flush()


def machine():
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "?")
    return {"cpu": model, "cpus": os.cpu_count(), "kernel": platform.release(), "date": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())}


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def spread(own, unit):
    if unit == "%":  # of a per cent near nothing, per cent say nothing
        return f"{abs(own['spread'] * own['value']) / 100:.1f} points"
    return f"{own['spread']:.0f} %"


def markdown(told):
    """One row for each scenario: every server's figure, what became of the goals, and below it what could not be measured."""
    at, settings = told["machine"], told["settings"]
    servers = [name for name in PEERS if any(name in result["figures"] for result in told["results"])]
    lines = [f"{at['date']}, {at['cpu']}, Linux {at['kernel']}, {at['cpus']} cores. Windows of {settings['window']:g} s, median of"
             f" {settings['rounds']} interleaved rounds; bytes and instructions once; {settings['idle_connections']:,} idle connections. Lower"
             " is better. Spread is that of equinox between rounds.", ""]
    head = ["Scenario", "Unit", *servers, "Spread", "Goal", "Found", "Met"]
    lines += ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for result in told["results"]:
        figures, goals = result["figures"], result["goals"]
        own = figures.get("equinox")
        row = [f"{result['id']} {result['title']}", result["unit"]]
        row += [number(figures[name]["value"]) if name in figures else "–" for name in servers]
        row.append(spread(own, result["unit"]) if own and own["rounds"] > 1 else "–")
        for key in ("goal", "found"):
            row.append("; ".join(goal[key] or "–" for goal in goals) or "–")
        row.append("; ".join("–" if goal["met"] is None else "yes" if goal["met"] else "**no**" for goal in goals) or "–")
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    notes = [f"- {result['id']} {result['title']}: {' '.join(note.split())}" for result in told["results"]
             for note in dict.fromkeys(result["notes"])]
    return "\n".join([*lines, *(["", *notes] if notes else [])]) + "\n"
