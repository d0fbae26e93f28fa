#!/usr/bin/python3
"""Writes the Grafana dashboards into the chart; --check only compares."""
import json
import sys
from pathlib import Path

from panels import dashboard, heatmap, merged_table, panel, quantiles, rate, row, select, series, stat, target

OUT = Path(__file__).resolve().parents[1] / "helm/equinox/files/dashboards"
REQUESTS = "http_server_request_duration_seconds"
FAILED = 'http_response_status_code=~"5.."'
SECOND = 'network_protocol_version="2"'
RECEIVED, SENT = 'direction="received"', 'direction="sent"'
BUSY = (f"rate({select('equinox_reactor_busy_seconds_total')}[$__rate_interval]) "
        f"/ (rate({select('equinox_reactor_busy_seconds_total')}[$__rate_interval]) "
        f"+ rate({select('equinox_reactor_wait_seconds_total')}[$__rate_interval]))")


def error_ratio():
    total = f"sum({rate(REQUESTS + '_count')})"
    return f"(sum({rate(REQUESTS + '_count', FAILED)}) or {total} * 0) / ({total} > 0)"


def overview():
    return dashboard("overview", "Overview", "Is it healthy, and is it safe to deploy?", [
        stat("Instances ready", "Instances whose readiness is good.", f"sum({select('equinox_ready')})", "none"),
        stat("Connections", "Open client connections.", f"sum({select('equinox_connections')})", "none"),
        stat("Requests", "Requests finished a second.", f"sum({rate(REQUESTS + '_count')})", "reqps"),
        stat("Errors", "Share of requests that ended in 5xx.", error_ratio(), "percentunit"),
        stat("p99", "99th percentile of the request duration.", quantiles(REQUESTS, levels=(0.99,))[0]["expr"], "s"),
        stat("Busiest reactor", "Busy share of the busiest reactor.", f"max({BUSY})", "percentunit"),
        row("Traffic"),
        series("Requests by status", "Requests finished a second, by status code.",
               [target(f"sum by (http_response_status_code) ({rate(REQUESTS + '_count')})", "{{http_response_status_code}}")],
               "reqps", stacked=True),
        series("Request duration", "Percentiles of the time from the head's first byte to the last byte handed over.",
               quantiles(REQUESTS), "s"),
        series("Routes", "Requests finished a second, by route.",
               [target(f"topk(10, sum by (http_route) ({rate(REQUESTS + '_count')}))", "{{http_route}}")], "reqps"),
        series("Active requests", "Requests in flight, by method.",
               [target(f"sum by (http_request_method) ({select('http_server_active_requests')})", "{{http_request_method}}")],
               "none"),
        series("Bytes", "Bytes read from and written to sockets.",
               [target(f"sum({rate('equinox_received_bytes_total')})", "received"),
                target(f"sum({rate('equinox_sent_bytes_total')})", "sent")], "Bps"),
        series("Refused requests", "Requests that never reached a handler, by reason.",
               [target(f"sum by (reason) ({rate('equinox_http_rejected_requests_total')})", "{{reason}}")], "reqps"),
        row("Process"),
        series("Processor time", "CPU seconds used in a second, by instance.",
               [target(f"sum by (instance) ({rate('process_cpu_seconds_total')})", "{{instance}}")], "none"),
        series("Memory", "Resident memory, by instance.",
               [target(f"sum by (instance) ({select('process_resident_memory_bytes')})", "{{instance}}")], "bytes"),
        series("File descriptors", "Used share of the file descriptors, by instance.",
               [target(f"sum by (instance) ({select('process_open_fds')}) / sum by (instance) ({select('process_max_fds')})",
                       "{{instance}}")], "percentunit"),
        series("State", "1 while an instance is ready or drains, and whether its last reload succeeded.",
               [target(f"sum({select('equinox_ready')})", "ready"), target(f"sum({select('equinox_draining')})", "draining"),
                target(f"sum({select('equinox_config_last_reload_successful')})", "last reload successful")], "none"),
        panel("table", "Versions", "What runs.",
              [{**target(f"sum by (instance, version, revision, compiler) ({select('equinox_build_info')})", fmt="table"),
                "instant": True}], "none", width=24, height=6),
    ])


def connections():
    closed = rate("equinox_connections_closed_total")
    return dashboard("connections", "Connections", "Who is connected, and why do connections go away?", [
        series("Open connections by state", "Every open connection is in exactly one state.",
               [target(f"sum by (state) ({select('equinox_connections')})", "{{state}}")], "none", stacked=True),
        series("Open connections by protocol", "http/1.1, h2 over TLS, h2c, or unknown before it is decided.",
               [target(f"sum by (protocol) ({select('equinox_connections')})", "{{protocol}}")], "none", stacked=True),
        series("Accepted and refused", "Connections accepted, and refused at or before accept, by reason.",
               [target(f"sum({rate('equinox_connections_accepted_total')})", "accepted"),
                target(f"sum by (reason) ({rate('equinox_connections_rejected_total')})", "refused: {{reason}}")], "cps"),
        series("Use of the limit", "Open connections as a share of the configured limit, by instance.",
               [target(f"sum by (instance) ({select('equinox_connections')}) "
                       f"/ max by (instance) ({select('equinox_connections_limit')})", "{{instance}}")], "percentunit"),
        row("Why they end"),
        series("Closed, by reason", "First cause of every closed connection.",
               [target(f"topk(12, sum by (reason) ({closed}))", "{{reason}}")], "cps", stacked=True),
        series("Closed, by initiator", "Who ended them.",
               [target(f"sum by (initiator) ({closed})", "{{initiator}}")], "cps", stacked=True),
        series("Idle evictions", "Closed because a timer or a pressure rule fired, by phase.",
               [target(f"sum by (phase) ({rate('equinox_idle_evictions_total')})", "{{phase}}")], "cps", stacked=True),
        series("Requests per connection", "What keep-alive pays.",
               quantiles("equinox_connection_requests"), "none"),
        heatmap("Lifetime of closed connections", "Connections that ended, by how long they lived.",
                "equinox_connection_duration_seconds"),
        row("Kernel and TLS"),
        series("Accept queue", "Connections the kernel holds until they are accepted, by listener.",
               [target(f"sum by (listener) ({select('equinox_accept_queue_length')})", "{{listener}}")], "none"),
        series("Round trip", "Smoothed TCP round trip of longer connections, taken at close and sampled.",
               quantiles("equinox_tcp_rtt_seconds"), "s"),
        series("TLS handshakes", "Negotiated connections by version and ALPN, and failures by reason.",
               [target(f"sum by (version, alpn) ({rate('equinox_tls_connections_total')})", "{{version}} {{alpn}}"),
                target(f"sum by (reason) ({rate('equinox_tls_handshake_failures_total')})", "failed: {{reason}}")], "cps"),
        series("Certificates", "Time until each certificate ends.",
               [target(f"min by (cert) ({select('equinox_tls_certificate_not_after_timestamp_seconds')}) - time()", "{{cert}}")],
               "s", defaults={"min": None}),
        series("HTTP/2 streams", "Open streams by state, and streams opened a second.",
               [target(f"sum by (state) ({select('equinox_http2_streams')})", "{{state}}"),
                target(f"sum({rate('equinox_http2_streams_opened_total')})", "opened a second")], "none"),
        series("HTTP/2 resets and abuse", "Reset streams by direction, and guards that fired.",
               [target(f"sum by (direction) ({rate('equinox_http2_stream_resets_total')})", "reset, {{direction}}"),
                target(f"sum by (kind) ({rate('equinox_http2_abuse_detected_total')})", "abuse: {{kind}}")], "cps"),
    ])


def latency():
    phases = "equinox_http_phase_seconds"
    return dashboard("latency", "Latency", "Where is the time, and which requests are slow?", [
        heatmap("Request duration", "Requests by duration; exemplars lead to the trace.", REQUESTS),
        series("Percentiles", "Request duration of all routes.", quantiles(REQUESTS, levels=(0.5, 0.9, 0.99, 0.999)), "s"),
        series("Time to first byte", "Head complete to first response byte written.",
               quantiles("equinox_http_time_to_first_byte_seconds"), "s"),
        series("p99 by route", "99th percentile of each route.",
               [target(f"topk(10, histogram_quantile(0.99, sum by (http_route, le) ({rate(REQUESTS + '_bucket')})))",
                       "{{http_route}}")], "s"),
        series("p99 by protocol version", "99th percentile of each protocol version.",
               [target(f"histogram_quantile(0.99, sum by (network_protocol_version, le) ({rate(REQUESTS + '_bucket')}))",
                       "HTTP/{{network_protocol_version}}")], "s"),
        row("Where the time goes"),
        series("Mean time in each phase", "Phases partition an exchange, so the stack is the mean duration.",
               [target(f"sum by (phase) ({rate(phases + '_sum')}) / ignoring (phase) group_left () "
                       f"sum({rate(REQUESTS + '_count')})", "{{phase}}")], "s", stacked=True),
        series("p99 of each phase", "99th percentile of each phase by itself.",
               [target(f"histogram_quantile(0.99, sum by (phase, le) ({rate(phases + '_bucket')}))", "{{phase}}")], "s"),
        series("Slow requests", "Requests over the slow threshold, by route.",
               [target(f"topk(10, sum by (http_route) ({rate('equinox_http_slow_requests_total')}))", "{{http_route}}")], "reqps"),
        series("Who limits whom", "Share of time TCP waited for the client's window or for our send buffer.",
               [target(f"sum by (by) ({rate('equinox_tcp_limited_seconds_total')})", "{{by}}"),
                target(f"sum by (scope) ({rate('equinox_http2_flow_control_blocked_seconds_total')})", "HTTP/2 {{scope}}")], "none"),
    ])


def reactors():
    return dashboard("reactors", "Reactors", "Is the event loop the bottleneck?", [
        series("Busy share", "Busy time of each reactor; above 0.9 it is saturated.",
               [target(f"sum by (instance, reactor) ({BUSY})", "{{instance}} {{reactor}}")], "percentunit", defaults={"max": 1}),
        series("Blocked or preempted", "Busy without using the processor: a blocking call, or somebody else's turn.",
               [target(f"sum by (instance, reactor) ({rate('equinox_reactor_busy_seconds_total')}) "
                       f"- sum by (instance, reactor) ({rate('equinox_reactor_cpu_seconds_total')})", "{{instance}} {{reactor}}")],
               "none", defaults={"min": None}),
        series("Connections", "Connections of each reactor; an imbalance shows here.",
               [target(f"sum by (instance, reactor) ({select('equinox_reactor_connections')})", "{{instance}} {{reactor}}")], "none"),
        series("Events per wakeup", "How much each turn carries.",
               [target(f"sum by (instance) ({rate('equinox_reactor_events_total')}) "
                       f"/ sum by (instance) ({rate('equinox_reactor_wakeups_total')})", "{{instance}}")], "none"),
        series("Iteration time", "Percentiles of one turn.", quantiles("equinox_reactor_iteration_seconds"), "s"),
        series("Timer lag", "Timers fire this much late.", quantiles("equinox_reactor_timer_lag_seconds"), "s"),
        row("Stalls"),
        series("Stalls by cause", "Turns over the threshold, by cause.",
               [target(f"sum by (cause) ({rate('equinox_reactor_stalls_total')})", "{{cause}}")], "none"),
        series("Stalled share", "Share of time lost to stalls, by cause.",
               [target(f"sum by (cause) ({rate('equinox_reactor_stall_seconds_total')})", "{{cause}}")], "percentunit"),
        series("Age of the last turn", "A healthy reactor turned within two seconds.",
               [target(f"time() - min by (instance, reactor) ({select('equinox_reactor_last_iteration_timestamp_seconds')})",
                       "{{instance}} {{reactor}}")], "s"),
        series("Mailbox", "Messages that wait for a reactor.",
               [target(f"sum by (instance, reactor) ({select('equinox_reactor_mailbox_length')})", "{{instance}} {{reactor}}")], "none"),
        row("Buffers"),
        series("Buffer pools", "Memory of the buffer pools, by state.",
               [target(f"sum by (pool, state) ({select('equinox_buffer_pool_bytes')})", "{{pool}} {{state}}")], "bytes", stacked=True),
        series("Pending output", "Bytes queued for slow readers.",
               [target(f"sum by (instance) ({select('equinox_output_pending_bytes')})", "{{instance}}")], "bytes"),
        series("Cost of a scrape", "How long collecting took, and how many series it had.",
               [target(f"max by (instance) ({select('equinox_scrape_collect_seconds')})", "{{instance}}")], "s"),
        series("Log", "Logged lines by level, and lines lost to a full ring.",
               [target(f"sum by (level) ({rate('equinox_log_messages_total')})", "{{level}}"),
                target(f"sum by (log) ({rate('equinox_log_dropped_total')})", "dropped: {{log}}")], "none"),
    ])


def http2():
    over = 'protocol=~"h2|h2c"'
    requests = f"sum({rate(REQUESTS + '_count')})"
    second = f"sum({rate(REQUESTS + '_count', SECOND)})"
    return dashboard("http2", "HTTP/2", "Who multiplexes, what holds streams up, and who misbehaves?", [
        stat("HTTP/2 connections", "Open HTTP/2 connections.", f"sum({select('equinox_connections', over)})", "none"),
        stat("Open streams", "Streams open now.", f"sum({select('equinox_http2_streams')})", "none"),
        stat("Streams opened", "Streams opened a second.", f"sum({rate('equinox_http2_streams_opened_total')})", "reqps"),
        stat("Share of requests", "Share of all requests that came over HTTP/2.", f"{second} / ({requests} > 0)", "percentunit"),
        stat("Resets", "Streams reset a second, by either side.", f"sum({rate('equinox_http2_stream_resets_total')})", "cps"),
        stat("Abuse", "Abuse guards that fired, a second.", f"sum({rate('equinox_http2_abuse_detected_total')})", "cps"),
        row("Streams"),
        series("Open streams by state", "Every open stream is in exactly one state.",
               [target(f"sum by (state) ({select('equinox_http2_streams')})", "{{state}}")], "none", stacked=True),
        series("Most streams at once", "Percentiles of the greatest number of concurrent streams of ended connections.",
               quantiles("equinox_http2_concurrent_streams_peak"), "none"),
        series("Requests by protocol version", "Requests finished a second, by protocol version.",
               [target(f"sum by (network_protocol_version) ({rate(REQUESTS + '_count')})", "HTTP/{{network_protocol_version}}")],
               "reqps", stacked=True),
        series("Duration over HTTP/2", "Percentiles of the duration of requests over HTTP/2.",
               quantiles(REQUESTS, SECOND), "s"),
        row("Frames and windows"),
        series("Frames received", "Frames received a second, by type.",
               [target(f"sum by (type) ({rate('equinox_http2_frames_total', RECEIVED)})", "{{type}}")], "cps",
               stacked=True),
        series("Frames sent", "Frames sent a second, by type.",
               [target(f"sum by (type) ({rate('equinox_http2_frames_total', SENT)})", "{{type}}")], "cps",
               stacked=True),
        series("Held up by a closed window", "Time in a second in which data was ready and the peer's window was closed, by scope.",
               [target(f"sum by (scope) ({rate('equinox_http2_flow_control_blocked_seconds_total')})", "{{scope}}")], "none"),
        series("Requests held back", "Requests a second whose handler waited until earlier answers of their connection had gone.",
               [target(f"sum({rate('equinox_http2_requests_held_total')})", "held back")], "reqps"),
        series("Round trip of PING", "Percentiles of the round trip of PINGs sent into silence.",
               quantiles("equinox_http2_ping_rtt_seconds"), "s"),
        row("How streams and connections end"),
        series("Reset streams", "RST_STREAM frames a second, by direction and error code.",
               [target(f"topk(12, sum by (direction, error_code) ({rate('equinox_http2_stream_resets_total')}))",
                       "{{direction}} {{error_code}}")], "cps"),
        series("GOAWAY", "GOAWAY frames a second, by direction and error code.",
               [target(f"topk(12, sum by (direction, error_code) ({rate('equinox_http2_goaways_total')}))",
                       "{{direction}} {{error_code}}")], "cps"),
        series("Closed HTTP/2 connections", "First cause of every closed HTTP/2 connection.",
               [target(f"topk(12, sum by (reason) ({rate('equinox_connections_closed_total', over)}))", "{{reason}}")], "cps",
               stacked=True),
        series("Abuse by kind", "Connections ended by an abuse guard, by kind.",
               [target(f"sum by (kind) ({rate('equinox_http2_abuse_detected_total')})", "{{kind}}")], "cps"),
    ])


def fleet():
    each = "sum by (instance)"
    share = f"{each} ({rate(REQUESTS + '_count')})"
    failed = f"({each} ({rate(REQUESTS + '_count', FAILED)}) or {share} * 0) / ({share} > 0)"
    slow = f"histogram_quantile(0.99, sum by (instance, le) ({rate(REQUESTS + '_bucket')}))"
    age = f"time() - max by (instance) ({select('process_start_time_seconds')})"
    return dashboard("fleet", "Fleet", "Does one instance differ from the others, and did a rollout arrive everywhere?", [
        stat("Instances scraped", "Targets that answer.", f"sum({select('up')})", "none"),
        stat("Instances missing", "Targets that do not answer.", f"count({select('up')}) - sum({select('up')})", "none"),
        stat("Ready", "Instances whose readiness is good.", f"sum({select('equinox_ready')})", "none"),
        stat("Draining", "Instances that leave.", f"sum({select('equinox_draining')})", "none"),
        stat("Versions", "Different versions that run: more than one during a rollout only.",
             f"count(count by (version, revision) ({select('equinox_build_info')}))", "none"),
        stat("Failed reloads", "Instances that run on an older configuration than they were given.",
             f"count({select('equinox_config_last_reload_successful')}) - sum({select('equinox_config_last_reload_successful')})",
             "none"),
        merged_table("Instances", "Every instance on one line.", [
            ("Version", f"max by (instance, version) ({select('equinox_build_info')})", None),
            ("Ready", f"max by (instance) ({select('equinox_ready')})", "none"),
            ("Draining", f"max by (instance) ({select('equinox_draining')})", "none"),
            ("Up for", age, "s"),
            ("Connections", f"{each} ({select('equinox_connections')})", "none"),
            ("Requests", share, "reqps"),
            ("Errors", failed, "percentunit"),
            ("p99", slow, "s"),
            ("Busiest reactor", f"max by (instance) ({BUSY})", "percentunit"),
            ("Memory", f"max by (instance) ({select('process_resident_memory_bytes')})", "bytes"),
        ]),
        row("Traffic"),
        series("Requests by instance", "Requests finished a second; a line apart from the others is uneven balancing.",
               [target(share, "{{instance}}")], "reqps"),
        series("Imbalance", "Requests of the busiest instance over the mean: 1 is even.",
               [target(f"max({share}) / (avg({share}) > 0)", "busiest over mean")], "none"),
        series("Connections by instance", "Open client connections.",
               [target(f"{each} ({select('equinox_connections')})", "{{instance}}")], "none"),
        series("Errors by instance", "Share of requests that ended in 5xx.", [target(failed, "{{instance}}")], "percentunit"),
        series("p99 by instance", "99th percentile of the request duration.", [target(slow, "{{instance}}")], "s"),
        series("Busiest reactor by instance", "Busy share of the busiest reactor of each instance.",
               [target(f"max by (instance) ({BUSY})", "{{instance}}")], "percentunit", defaults={"max": 1}),
        row("Life"),
        series("Ready and draining", "How many instances are in service, and how many leave.",
               [target(f"sum({select('equinox_ready')})", "ready"), target(f"sum({select('equinox_draining')})", "draining")],
               "none"),
        series("Restarts", "Starts of the process within an hour, by instance.",
               [target(f"sum by (instance) (changes({select('process_start_time_seconds')}[1h]))", "{{instance}}")], "none"),
        series("Age of the configuration", "Time since the configuration was loaded.",
               [target(f"time() - max by (instance) ({select('equinox_config_last_reload_timestamp_seconds')})", "{{instance}}")],
               "s"),
        series("First certificate to expire", "Time until the first certificate of each instance ends.",
               [target(f"min by (instance) ({select('equinox_tls_certificate_not_after_timestamp_seconds')}) - time()",
                       "{{instance}}")], "s", defaults={"min": None}),
        series("Sandbox", "Instances in which each part of the sandbox is in force.",
               [target(f"sum by (part) ({select('equinox_sandbox_in_force')})", "{{part}}")], "none"),
        series("Series of a scrape", "What each instance gives Prometheus to keep.",
               [target(f"max by (instance) ({select('equinox_scrape_series')})", "{{instance}}")], "none"),
    ])


BOARDS = {"overview": overview, "connections": connections, "latency": latency, "reactors": reactors, "http2": http2,
          "fleet": fleet}


def main():
    status = 0
    for name, board in BOARDS.items():
        path = OUT / f"{name}.json"
        text = json.dumps(board(), indent=1, ensure_ascii=False) + "\n"
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            print(f"{path.name} is old, run deploy/grafana/generate.py")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
