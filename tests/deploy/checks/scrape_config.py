#!/usr/bin/python3
"""A Prometheus configuration from the rendered PodMonitor: path, interval, timeout and labels as the operator makes them.

scrape_config.py RENDERED TARGET RULES
"""
import sys
from pathlib import Path

import yaml


def main(rendered, target, rules):
    documents = [each for each in yaml.safe_load_all(Path(rendered).read_text()) if each]
    monitor = next(each for each in documents if each["kind"] == "PodMonitor")
    pod = next(each for each in documents if each["kind"] == "Deployment")
    labels = pod["spec"]["template"]["metadata"]["labels"]
    endpoint = monitor["spec"]["podMetricsEndpoints"][0]
    ports = {each["name"] for each in pod["spec"]["template"]["spec"]["containers"][0]["ports"]}
    assert endpoint["port"] in ports, "the monitor names no port of the pod"
    assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items(), "the monitor does not select the pod"
    job = {"job_name": labels[monitor["spec"]["jobLabel"]], "metrics_path": endpoint["path"],
           "scrape_interval": endpoint["interval"], "scrape_timeout": endpoint["scrapeTimeout"],
           "static_configs": [{"targets": [target],
                               "labels": {"namespace": pod["metadata"]["namespace"], "pod": f"{pod['metadata']['name']}-0"}}]}
    yaml.safe_dump({"global": {"evaluation_interval": "1s"}, "rule_files": [rules], "scrape_configs": [job]}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
