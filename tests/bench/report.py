"""The goals with their figures, as a table and as JSON."""
import json
import os
import platform
import subprocess
import time


class Report:
    def __init__(self, mode, out):
        self.mode, self.out, self.rows, self.section = mode, out, [], ""
        self.out.write(f"{'':4} {'figure':>12}  {'goal':>10}  what\n")

    def begin(self, section):
        self.section = section
        self.out.write(f"-- {section}\n")
        self.out.flush()

    def add(self, what, value, unit="", at_most=None, at_least=None):
        """A figure; without a limit it is told only."""
        met = None
        if at_most is not None:
            met = value <= at_most
        elif at_least is not None:
            met = value >= at_least
        limit = f"<= {at_most:g}" if at_most is not None else f">= {at_least:g}" if at_least is not None else ""
        row = {"section": self.section, "what": what, "value": round(value, 4), "unit": unit, "goal": limit, "met": met}
        self.rows.append(row)
        verdict = {None: "", True: "ok", False: "MISS"}[met]
        self.out.write(f"{verdict:4} {value:>9.4g} {unit:<4} {limit:>8}  {what}\n")
        self.out.flush()

    def skip(self, what):
        self.rows.append({"section": self.section, "what": what, "value": None, "unit": "", "goal": "", "met": None})
        self.out.write(f"skip {'':26} {what}\n")

    def machine(self):
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            model = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), platform.machine())
        version = subprocess.run(["git", "-C", os.path.dirname(os.path.abspath(__file__)), "rev-parse", "--short", "HEAD"],
                                 capture_output=True, text=True, check=False).stdout.strip()
        return {"date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "cpu": model, "cpus": os.cpu_count(),
                "kernel": platform.release(), "commit": version, "load": os.getloadavg()[0], "mode": self.mode}

    def markdown(self):
        """The table of docs/benchmarks.md."""
        yield "| what | figure | goal | |\n| --- | ---: | ---: | --- |\n"
        section = ""
        for r in self.rows:
            if r["value"] is None:
                continue
            if r["section"] != section:
                section = r["section"]
                yield f"| **{section}** | | | |\n"
            yield (f"| {r['what']} | {r['value']:.4g} {r['unit']} | {r['goal'].replace('<=', '≤').replace('>=', '≥')} |"
                   f" {'' if r['met'] is None else 'met' if r['met'] else 'missed'} |\n")

    def finish(self, path):
        with open(f"{path.removesuffix('.json')}.md", "w", encoding="utf-8") as f:
            f.writelines(self.markdown())
        with open(path, "w", encoding="utf-8") as f:
            json.dump({**self.machine(), "rows": self.rows}, f, indent=1)
        missed = [r for r in self.rows if r["met"] is False]
        measured = [r for r in self.rows if r["met"] is not None]
        self.out.write(f"{len(measured) - len(missed)} of {len(measured)} goals met; {path}\n")
        return missed
