libapi_a_SOURCES =
