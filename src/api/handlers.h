#pragma once
/* What the route table calls. Each is a RouteHandler, or tells whether one will wait. */
#include "api/request.h"

int handle_page(Request *req, Response *res, Error *err);
int handle_health(Request *req, Response *res, Error *err);
int handle_ready(Request *req, Response *res, Error *err);
bool status_waits(const Request *req);
int handle_status(Request *req, Response *res, Error *err);
int handle_metrics(Request *req, Response *res, Error *err);

bool database_waits(const Request *req);
int handle_plan(Request *req, Response *res, Error *err);
int handle_drift(Request *req, Response *res, Error *err);
int handle_drift_save(Request *req, Response *res, Error *err);
int handle_history(Request *req, Response *res, Error *err);

bool migrate_waits(const Request *req);
int handle_migrate(Request *req, Response *res, Error *err);
int handle_runs(Request *req, Response *res, Error *err);
int handle_run(Request *req, Response *res, Error *err);
int handle_cancel(Request *req, Response *res, Error *err);

int handle_events(Request *req, Response *res, Error *err);
int handle_run_events(Request *req, Response *res, Error *err);

/* The document of GET /status, from memory: a new reference. */
int status_json(const Request *req, const char *database, json_t **ret, Error *err);
