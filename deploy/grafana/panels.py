"""Building blocks of the dashboards: variables, panels, layout."""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
SELECT = 'job=~"$job", namespace=~"$namespace", pod=~"$pod"'


def select(name, extra=""):
    """A metric of the chosen instances: ".*" matches also where a label is missing."""
    return f"{name}{{{SELECT}{', ' + extra if extra else ''}}}"


def rate(name, extra=""):
    return f"rate({select(name, extra)}[$__rate_interval])"


def target(expr, legend="", fmt="time_series"):
    return {"expr": expr, "legendFormat": legend or "__auto", "format": fmt}


def quantiles(name, extra="", levels=(0.5, 0.9, 0.99)):
    return [target(f"histogram_quantile({level}, sum by (le) ({rate(name + '_bucket', extra)}))", f"p{level * 100:g}")
            for level in levels]


def panel(kind, title, description, targets, unit, width=12, height=8, **extra):
    """One panel; the layout gives it its place."""
    options = {
        "timeseries": {"legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]},
                       "tooltip": {"mode": "multi", "sort": "desc"}},
        "stat": {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value", "graphMode": "area"},
        "heatmap": {"calculate": False, "yAxis": {"unit": unit}, "color": {"mode": "scheme", "scheme": "Oranges"}},
        "table": {"showHeader": True},
    }[kind]
    defaults = {"unit": unit, "min": 0}
    defaults.update(extra.pop("defaults", {}))
    if extra.pop("stacked", False):
        defaults["custom"] = {"stacking": {"mode": "normal", "group": "A"}, "fillOpacity": 30}
    return {"type": kind, "title": title, "description": description, "datasource": DATASOURCE,
            "fieldConfig": {"defaults": defaults, "overrides": []}, "options": options,
            "targets": [{**each, "refId": chr(ord("A") + i), "datasource": DATASOURCE} for i, each in enumerate(targets)],
            "gridPos": {"w": width, "h": height}, **extra}


def series(title, description, targets, unit, **extra):
    return panel("timeseries", title, description, targets, unit, **extra)


def stat(title, description, expr, unit, **extra):
    return panel("stat", title, description, [target(expr)], unit, width=4, height=4, **extra)


def merged_table(title, description, columns, **extra):
    """One line for each set of labels the queries share. Columns are (name, query, unit); without a unit only labels are shown."""
    letters = [chr(ord("A") + i) for i in range(len(columns))]
    names = {f"Value #{letter}": name for letter, (name, _, unit) in zip(letters, columns) if unit}
    hidden = {f"Value #{letter}": True for letter, (_, _, unit) in zip(letters, columns) if not unit}
    overrides = [{"matcher": {"id": "byName", "options": name}, "properties": [{"id": "unit", "value": unit}]}
                 for name, _, unit in columns if unit]
    table = panel("table", title, description, [{**target(expr, fmt="table"), "instant": True} for _, expr, _ in columns], "none",
                  width=24, height=10, **extra)
    table["fieldConfig"]["overrides"] = overrides
    table["transformations"] = [{"id": "merge", "options": {}},
                                {"id": "organize", "options": {"excludeByName": {"Time": True, **hidden}, "renameByName": names}}]
    return table


def heatmap(title, description, name, unit="s", extra="", **more):
    one = target(f"sum by (le) ({rate(name + '_bucket', extra)})", "{{le}}", "heatmap")
    return panel("heatmap", title, description, [one], unit, width=24, **more)


def row(title):
    return {"type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": {"w": 24, "h": 1}}


def laid_out(panels):
    """Left to right, then down; ids in order."""
    x = y = tallest = 0
    for number, each in enumerate(panels, start=1):
        place = each["gridPos"]
        if x + place["w"] > 24:
            x, y, tallest = 0, y + tallest, 0
        place["x"], place["y"], each["id"] = x, y, number
        x, tallest = x + place["w"], max(tallest, place["h"])
    return panels


def variable(name, label, query):
    return {"type": "query", "name": name, "label": label, "datasource": DATASOURCE, "definition": query,
            "query": {"query": query, "refId": name}, "refresh": 2, "sort": 1, "includeAll": True, "allValue": ".*",
            "multi": True, "current": {"text": "All", "value": "$__all"}, "options": [], "regex": "", "hide": 0}


def variables():
    source = {"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus", "refresh": 1,
              "current": {}, "options": [], "regex": "", "includeAll": False, "multi": False, "hide": 0}
    return [source, variable("job", "Job", "label_values(equinox_build_info, job)"),
            variable("namespace", "Namespace", 'label_values(equinox_build_info{job=~"$job"}, namespace)'),
            variable("pod", "Pod", 'label_values(equinox_build_info{job=~"$job", namespace=~"$namespace"}, pod)')]


def dashboard(name, title, description, panels):
    links = [{"type": "dashboards", "title": "Equinox", "tags": ["equinox"], "asDropdown": True, "includeVars": True,
              "keepTime": True, "icon": "external link", "targetBlank": False, "tooltip": "", "url": ""}]
    return {"uid": f"equinox-{name}", "title": f"Equinox / {title}", "description": description, "tags": ["equinox"],
            "schemaVersion": 39, "version": 1, "editable": False, "graphTooltip": 1, "refresh": "30s", "timezone": "browser",
            "time": {"from": "now-1h", "to": "now"}, "templating": {"list": variables()}, "annotations": {"list": []},
            "links": links, "panels": laid_out(panels)}
