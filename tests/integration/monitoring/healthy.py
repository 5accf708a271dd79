"""Metrics of a healthy, idle stack with two workers. ``@now`` stands for the time of the scrape."""

import time

NOW = time.time()

API = f"""\
# TYPE http_requests_total counter
http_requests_total{{method="GET",endpoint="/health",status="200"}} 40
http_requests_total{{method="POST",endpoint="/jobs",status="202"}} 1
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{{method="POST",endpoint="/jobs",le="0.5"}} 1
http_request_duration_seconds_bucket{{method="POST",endpoint="/jobs",le="1.0"}} 1
http_request_duration_seconds_bucket{{method="POST",endpoint="/jobs",le="+Inf"}} 1
http_request_duration_seconds_sum{{method="POST",endpoint="/jobs"}} 0.1
http_request_duration_seconds_count{{method="POST",endpoint="/jobs"}} 1
queue_length{{queue="default"}} 0
queue_length{{queue="default.dlq"}} 0
tradebot_workers_desired 2
db_connection_errors_total 0
process_start_time_seconds {NOW}
"""

WORKER = f"""\
worker_active 1
worker_busy 0
worker_heartbeat_timestamp @now
worker_jobs_processed_total{{job_type="backtest",status="succeeded"}} 1
worker_jobs_processed_total{{job_type="backtest",status="failed"}} 0
worker_job_duration_seconds_bucket{{job_type="backtest",le="1.0"}} 1
worker_job_duration_seconds_bucket{{job_type="backtest",le="+Inf"}} 1
worker_job_started_timestamp_seconds{{job_type="backtest"}} 0
job_dlq_moves_total{{job_type="backtest"}} 0
queue_length{{queue="default"}} 0
queue_length{{queue="default.dlq"}} 0
db_connection_errors_total 0
process_start_time_seconds {NOW}
"""

REDIS = """\
redis_up 1
redis_connected_clients 6
redis_blocked_clients 2
redis_memory_used_bytes 2e6
redis_memory_max_bytes 5e8
redis_evicted_keys_total 0
redis_rdb_last_bgsave_status 1
redis_aof_last_write_status 1
redis_exporter_last_scrape_error{err=""} 0
"""

POSTGRES = """\
pg_up 1
pg_exporter_last_scrape_error 0
pg_settings_max_connections{server="postgres:5432"} 100
pg_settings_superuser_reserved_connections{server="postgres:5432"} 3
pg_stat_activity_count{datname="tradebot",server="postgres:5432",state="idle",backend_type="client backend"} 5
pg_stat_activity_max_tx_duration{datname="tradebot",server="postgres:5432",state="active"} 0
pg_stat_database_deadlocks{datid="1",datname="tradebot"} 0
pg_stat_statements_calls_total{datname="tradebot",queryid="1",user="tradebot"} 10
pg_stat_statements_seconds_total{datname="tradebot",queryid="1",user="tradebot"} 0.1
"""

NODE = """\
node_cpu_seconds_total{cpu="0",mode="idle"} @now
node_cpu_seconds_total{cpu="0",mode="user"} 10
node_memory_MemAvailable_bytes 6e9
node_memory_MemTotal_bytes 8e9
node_vmstat_oom_kill 0
node_filesystem_avail_bytes{device="/dev/vda1",fstype="ext4",mountpoint="/"} 6e10
node_filesystem_size_bytes{device="/dev/vda1",fstype="ext4",mountpoint="/"} 1e11
node_filesystem_readonly{device="/dev/vda1",fstype="ext4",mountpoint="/"} 0
"""

SERVICES = {
    "api:8010": API,
    "redis-exporter:9121": REDIS,
    "postgres-exporter:9187": POSTGRES,
    "node-exporter:9100": NODE,
}
WORKERS = {"worker-1": WORKER, "worker-2": WORKER}
