#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

#include "format/liquibase/change/checksum.h"

#define CORPUS "tests/corpus/liquibase"

static char folder[300];

static void path_in(char *buf, size_t size, const char *name)
{
        (void) snprintf(buf, size, "%s/%s", folder, name);
}

static void write_file(const char *name, const char *text)
{
        char path[600];
        FILE *out;

        path_in(path, sizeof path, name);
        for (char *s = strchr(path + strlen(folder) + 1, '/'); s; s = strchr(s + 1, '/')) {
                *s = '\0';
                (void) mkdir(path, 0700);
                *s = '/';
        }
        out = fopen(path, "w");
        assert_non_null(out);
        assert_int_equal(fputs(text, out) >= 0, 1);
        assert_int_equal(fclose(out), 0);
}

static void make_folder(void)
{
        (void) strcpy(folder, "/tmp/test_liquibase_load.XXXXXX");
        assert_non_null(mkdtemp(folder));
}

static void drop_folder(void)
{
        char command[400];

        (void) snprintf(command, sizeof command, "rm -rf %s", folder);
        assert_int_equal(system(command), 0);
}

static int load(Model **ret, const char *name, const char *contexts, const char *labels, Error *err)
{
        char file[600], context_list[200], label_filter[200], nothing[] = "";
        FormatOptions o = { .folder = file,
                            .table = nothing,
                            .contexts = context_list,
                            .labels = label_filter,
                            .root = nothing };

        path_in(file, sizeof file, name);
        (void) snprintf(context_list, sizeof context_list, "%s", contexts);
        (void) snprintf(label_filter, sizeof label_filter, "%s", labels);
        *err = (Error){ 0 };
        return model_load(ret, &o, NULL, err);
}

/* ---- the corpus ---- */

/* The value of a line of case.conf such as ARGS="--contexts=test". */
static void read_conf(char *ret, size_t size, const char *key)
{
        char path[600], line[300];
        FILE *in;

        *ret = '\0';
        path_in(path, sizeof path, "case.conf");
        in = fopen(path, "r");
        if (!in)
                return;
        while (fgets(line, sizeof line, in)) {
                char *found = *line == '#' ? NULL : strstr(line, key);
                size_t len = found ? strcspn(found + strlen(key), "\n") : 0;

                if (!found)
                        continue;
                found += strlen(key);
                if (*found == '\\')
                        found++;
                if (*found == '"')
                        found++;
                len = strcspn(found, strncmp(key, "--label", 7) == 0 ? "\"\\\n" : " \"\\\n");
                (void) snprintf(ret, size, "%.*s", (int) len, found);
                break;
        }
        (void) fclose(in);
}

static const ChangeSet *find_set(const Model *m, json_t *row, size_t *at)
{
        for (*at = 0; *at < m->n_sets; ++*at) {
                const ChangeSet *s = m->sets[*at];

                if (strcmp(s->id, json_string_value(json_object_get(row, "id"))) == 0 &&
                    strcmp(s->author, json_string_value(json_object_get(row, "author"))) == 0 &&
                    strcmp(s->path, json_string_value(json_object_get(row, "filename"))) == 0)
                        return s;
        }
        return NULL;
}

/* What the history stores of the changeset besides its identity. */
static bool same_sums(const Model *m, const ChangeSet *s, json_t *row)
{
        _cleanup_arena_ Arena a = ARENA_INIT(1 << 20);
        const char *comments = json_string_value(json_object_get(row, "comments"));
        bool unstable = strstr(folder, "048b-"); /* Liquibase's own changes from run to run */
        char sum[CHECKSUM_MAX];
        Error err = { 0 };

        if (changeset_checksum(sum, m, s, CHECKSUM_NEWEST, &err) < 0) {
                print_error("%s\n", err.text);
                return false;
        }
        return (unstable || strcmp(sum, json_string_value(json_object_get(row, "md5sum"))) == 0) &&
               strcmp(changeset_description(&a, s),
                      json_string_value(json_object_get(row, "description"))) == 0 &&
               strcmp(changeset_comments(&a, s), comments ? comments : "") == 0;
}

static bool same(const char *got, json_t *want)
{
        const char *text = json_string_value(want);

        return got && text ? strcmp(got, text) == 0 : !got && !text;
}

/* How many rows differ from what was loaded. */
static int compare(const Model *m, json_t *rows, const char *name, bool ordered)
{
        int wrong = 0;
        size_t i, at, last = 0;
        json_t *row;

        json_array_foreach(rows, i, row)
        {
                const ChangeSet *s = find_set(m, row, &at);

                if (!s || s->filtered || (ordered && i > 0 && at <= last) ||
                    !same(s->contexts_column, json_object_get(row, "contexts")) ||
                    !same(s->labels_column, json_object_get(row, "labels")) ||
                    !same(s->tag, json_object_get(row, "tag")) || !same_sums(m, s, row)) {
                        wrong++;
                        print_error("%s: %s::%s: %s\n", name,
                                    json_string_value(json_object_get(row, "filename")),
                                    json_string_value(json_object_get(row, "id")),
                                    !s                     ? "not there"
                                    : s->filtered          ? s->filter_reason
                                    : ordered && at < last ? "out of order"
                                                           : "differs");
                        if (s)
                                print_error("  contexts %s labels %s tag %s comments \"%s\"\n",
                                            s->contexts_column, s->labels_column, s->tag,
                                            s->comments);
                }
                last = at;
        }
        return wrong;
}

/* A second step puts another changelog in place of the first. */
static void take_step(const char *step)
{
        char command[1500], copy[] = "/tmp/test_liquibase_load.XXXXXX";

        assert_non_null(mkdtemp(copy));
        (void) snprintf(command, sizeof command,
                        "cp -r '%s/.' %s && chmod -R u+w %s && cp %s/%s %s/changelog%s", folder,
                        copy, copy, copy, step, copy, strrchr(step, '.'));
        assert_int_equal(system(command), 0);
        (void) strcpy(folder, copy);
}

static int check_case(const char *path)
{
        char rows_path[600], contexts[200], labels[200], step[100];
        json_t *rows;
        Model *m = NULL;
        Error err;
        int wrong;

        (void) snprintf(folder, sizeof folder, "%s", path);
        path_in(rows_path, sizeof rows_path, "rows.4.28.json");
        rows = json_load_file(rows_path, 0,
                              NULL); /* none where Liquibase failed before it wrote any */
        read_conf(contexts, sizeof contexts, "--contexts=");
        read_conf(labels, sizeof labels, "--label-filter=");
        read_conf(step, sizeof step, "STEP2=");
        if (*step)
                take_step(step);
        if (load(&m, "", contexts, labels, &err) < 0) {
                print_error("%s: %s:%lu: %s\n", path, err.path, err.line, err.text);
                wrong = 1;
        } else
                wrong = compare(m, rows, path, !*step);
        (void) model_free(m);
        json_decref(rows);
        if (*step)
                drop_folder();
        return wrong;
}

static void test_corpus(void **state)
{
        (void) state;
        const char *srcdir = getenv("srcdir");
        char path[300], cases[200];
        struct dirent *e;
        int wrong = 0, n = 0;
        DIR *d;

        (void) snprintf(cases, sizeof cases, "%s/" CORPUS "/cases", srcdir ? srcdir : ".");
        d = opendir(cases);
        assert_non_null(d);
        while ((e = readdir(d))) {
                if (e->d_name[0] == '.')
                        continue;
                (void) snprintf(path, sizeof path, "%s/%.80s", cases, e->d_name);
                wrong += check_case(path);
                n++;
        }
        (void) closedir(d);
        (void) snprintf(path, sizeof path, "%s/" CORPUS "/tree-200", srcdir ? srcdir : ".");
        wrong += check_case(path);
        assert_int_equal(wrong, 0);
        assert_true(n > 80);
}

/* ---- what cannot be loaded ---- */

#define XML(body) "<databaseChangeLog>\n" body "\n</databaseChangeLog>\n"
#define SET(id, body) "<changeSet id=\"" id "\" author=\"ann\">" body "</changeSet>\n"
#define GUARD(body) SET("1", "<preConditions>" body "</preConditions>")

typedef struct Wrong {
        const char *text, *want; /* what the error says */
        unsigned long line;      /* where, 0: it does not matter */
} Wrong;

static const Wrong wrong_xml[] = {
        { "<databaseChangeLog colour=\"x\"/>", "\"colour\" is no attribute of databaseChangeLog",
          1 },
        { XML("<changeset id=\"1\" author=\"a\"/>"), "unknown element \"changeset\"", 2 },
        { XML(SET("1", "<makeTable/>")), "unknown change type \"makeTable\"", 2 },
        { XML(SET("1", "<sql colour=\"x\">select 1</sql>")), "\"colour\" is no attribute of sql",
          2 },
        { XML("\n" SET("1", "<createTable tableName=\"t\"><column nam=\"x\"/></createTable>")),
          "\"nam\" is no attribute of column", 3 },
        { XML("<changeSet id=\"1\" author=\"a\" contxt=\"x\"/>"), "\"contxt\" is no attribute", 2 },
        { XML("<changeSet id=\"1\" author=\"a\" runOrder=\"middle\"/>"), "runOrder is \"middle\"",
          2 },
        { XML("<changeSet id=\"1\" author=\"a\" onValidationFail=\"RUN\"/>"), "onValidationFail",
          2 },
        { XML("<changeSet id=\"1\" author=\"a\" objectQuotingStrategy=\"ALL\"/>"),
          "objectQuotingStrategy is \"ALL\"", 2 },
        { XML("<changeSet id=\"1\" author=\"a\" context=\"(a, b)\"/>"), "cannot parse expression",
          2 },
        { XML("<include/>"), "an include names no file", 2 },
        { XML("<include file=\"nope.xml\"/>"), "nope.xml: cannot open", 2 },
        { XML("<include file=\"nope.txt\"/>"), "is no changelog", 2 },
        { XML("<include file=\"../up.xml\"/>"), "leads out of the folder", 2 },
        { XML("<include file=\"a/../../up.xml\"/>"), "leads out of the folder", 2 },
        { XML("<include file=\"link.xml\"/>"), "leads out of the folder", 2 },
        { XML("<include file=\"folder/passwd.xml\"/>"), "leads out of the folder", 2 },
        { XML("<includeAll path=\"folder\"/>"), "leads out of the folder", 2 },
        { XML("<includeAll path=\"..\"/>"), "leads out of the folder", 2 },
        { XML("<include file=\"file:///etc/hosts.xml\"/>"), "cannot open", 2 },
        { XML("<include file=\"changelog.xml\"/>"), "in a circle", 2 },
        { XML("<include file=\"./sub/../changelog.xml\"/>"), "in a circle", 2 },
        { XML("<include file=\"sub/back.xml\"/>"), "in a circle", 0 },
        { XML("<includeAll path=\"sub\"/>"), "in a circle", 0 },
        { XML("<includeAll path=\"nope/\"/>"), "there is no such folder", 2 },
        { XML("<includeAll path=\"empty/\"/>"), "no changelog is in that folder", 2 },
        { XML("<includeAll path=\"sub\" filter=\"com.example.F\"/>"), "names a Java class", 2 },
        { XML("<includeAll path=\"sub\" maxDepth=\"deep\"/>"), "has to be a number", 2 },
        { XML("<property file=\"nope.properties\"/>"), "nope.properties: cannot open", 2 },
        { XML("<property name=\"x\"/>"), "property \"x\" has no value", 2 },
        { XML("<property value=\"x\"/>"), "neither a name nor a file", 2 },
        { XML("<property name=\"x\" value=\"1${x}\"/>" SET("${x}", "")), "contains itself", 2 },
        { XML("<removeChangeSetProperty change=\"addColumn\" remove=\"name\"/>"), "remove=\"name\"",
          2 },
        { XML("<modifyChangeSets runWith=\"psql\"/>"), "runWith=\"psql\"", 2 },
        { XML(SET("1", "<rollback changeSetId=\"0\" changeSetAuthor=\"ann\"/>")),
          "changelog.xml::0::ann, which does not exist", 2 },
        { XML(GUARD("<moonPhase phase=\"full\"/>")), "unknown precondition \"moonPhase\"", 2 },
        { XML(GUARD("<and>\n<not><tableExist tableName=\"t\"/></not></and>")),
          "unknown precondition \"tableExist\"", 3 },
        { XML(GUARD("<tableExists tablename=\"t\" schemNam=\"s\"/>")),
          "\"schemNam\" is no attribute", 2 },
        { XML(GUARD("<tableExists/>")), "precondition tableExists has no tableName", 2 },
        { XML("<preConditions onFail=\"EXPLODE\"/>"), "onFail of preConditions is \"EXPLODE\"", 2 },
};

static void test_wrong(void **state)
{
        (void) state;
        char link[400];

        make_folder();
        write_file("sub/back.xml", XML("<include file=\"../changelog.xml\" "
                                       "relativeToChangelogFile=\"true\"/>"));
        write_file("empty/readme.txt", "");
        path_in(link, sizeof link, "link.xml");
        assert_int_equal(symlink("/etc/passwd", link), 0);
        path_in(link, sizeof link, "folder");
        assert_int_equal(symlink("/etc", link), 0);
        for (size_t i = 0; i < sizeof wrong_xml / sizeof *wrong_xml; i++) {
                const Wrong *w = &wrong_xml[i];
                Model *m = NULL;
                Error err;

                write_file("changelog.xml", w->text);
                assert_int_equal(load(&m, "", "a", "", &err), -ERROR_CHANGELOG);
                if (!strstr(err.text, w->want) || (w->line && err.line != w->line) ||
                    !strstr(err.path, ".xml"))
                        fail_msg("%s\n%s:%lu: %s", w->text, err.path, err.line, err.text);
        }
        drop_folder();
}

/* The error cases of the corpus that are about loading. */
static void test_error_cases(void **state)
{
        (void) state;
        static const struct {
                const char *name;
                bool loads;
        } cases[] = {
                { "01-xml-not-wellformed", false },
                { "02-xml-unknown-attribute", false },
                { "03-xml-unknown-change", false },
                { "04-yaml-unknown-change", false },
                { "07-missing-include", false },
                { "09-missing-changelog", false },
                { "15-precondition-unknown-yaml", false },
                { "20-yaml-not-a-list", false },
                { "21-json-syntax", false },
                { "22-sql-empty-changeset", false },
                { "23-sql-bad-changeset-lines", false },
                { "23b-sql-one-dash", false },
                { "23c-sql-space-before-id", false },
                { "23d-sql-comment-outside", false },
                { "23e-sql-comments-plural", false },
                { "23f-sql-rollback-unclosed", false },
                { "23g-sql-bad-precondition", false },
                { "23h-sql-property-bad", false },
                { "24-empty-xml", false },
                { "24b-empty-sql", false },
                { "24c-header-only-sql", true },
                { "24d-yaml-empty-list", true },
                { "26-circular-include", false },
                { "27-includeAll-missing", false },
                { "27b-includeAll-missing-xsd41-default", true },
                { "30-bad-context", false },
                { "33-xxe", false },
                { "34-billion-laughs", false },
                { "40-property-file-missing", false },
                { "43-bad-runOrder", false },
                { "44-bad-onFail-yaml", false },
                { "46-bad-number", false },
                { "65b-leading-slash", true },
                { "88-yaml-duplicate-keys", true },
                { "89-yaml-anchors-bomb", true },
                { "90-yaml-tags", false },
                { "91-yaml-multi-doc", false },
        };
        const char *srcdir = getenv("srcdir");

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                Model *m = NULL;
                Error err;

                (void) snprintf(folder, sizeof folder, "%s/" CORPUS "/errors/%s",
                                srcdir ? srcdir : ".", cases[i].name);
                int r = load(&m, "", "a", "", &err);
                if (r != (cases[i].loads ? 0 : -ERROR_CHANGELOG))
                        fail_msg("%s: %d %s", cases[i].name, r, r < 0 ? err.text : "");
                (void) model_free(m);
        }
}

/* What validation finds. */
static void test_faults(void **state)
{
        (void) state;
        static const char *const wants[] = {
                "changelog.xml::1::ann: dbms: \"nosuchdb\" is no database",
                "the id of the changeset is empty",
                "the changeset has no author",
                "runWith=\"psql\"",
                "customPrecondition names a Java class",
                "changelog.xml::1::ann: another changeset of the same id",
        };
        Model *m = NULL;
        Error err;

        make_folder();
        write_file("changelog.xml",
                   XML("<changeSet id=\"1\" author=\"ann\" dbms=\"postgresql,nosuchdb\"/>\n"
                       "<changeSet id=\"\" author=\"ann\"/>"
                       "<changeSet id=\"2\"/>"
                       "<changeSet id=\"3\" author=\"ann\" runWith=\"psql\"/>"
                       "<changeSet id=\"4\" author=\"ann\"><preConditions><customPrecondition "
                       "className=\"x\"><param name=\"a\" value=\"b\"/></customPrecondition>"
                       "</preConditions></changeSet>"
                       "<changeSet id=\"1\" author=\"ann\"/>" SET("A", "")
                               SET("a", "") "<changeSet id=\"a\" author=\"ann\" context=\"other\" "
                                            "runWith=\"psql\"/>"));
        assert_int_equal(load(&m, "", "x", "", &err), 0);
        assert_int_equal(m->n_sets, 9);
        for (size_t i = 0; i < m->n_faults && i < sizeof wants / sizeof *wants; i++) {
                if (!strstr(m->faults[i].text, wants[i]))
                        fail_msg("%s", m->faults[i].text);
                assert_true(m->faults[i].line >= 2);
                assert_int_equal(m->fault_sets[i] == NULL, i + 1 == sizeof wants / sizeof *wants);
        }
        assert_int_equal(m->n_faults, sizeof wants / sizeof *wants);
        (void) model_free(m);
        drop_folder();
}

/* ---- what changelogs mean ---- */

static void expect_sets(const char *contexts, const char *labels, const char *want)
{
        char got[1000] = "";
        Model *m = NULL;
        Error err;

        if (load(&m, "", contexts, labels, &err) < 0)
                fail_msg("%s:%lu: %s", err.path, err.line, err.text);
        for (size_t i = 0; i < m->n_sets; i++) {
                const ChangeSet *s = m->sets[i];
                size_t len = strlen(got);

                (void) snprintf(got + len, sizeof got - len, "%s%s:%s%s%s", i ? " " : "", s->path,
                                s->id, s->filtered ? "-" : "", s->filtered ? s->filter_reason : "");
        }
        assert_string_equal(got, want);
        (void) model_free(m);
}

static void test_order(void **state)
{
        (void) state;
        make_folder();
        write_file(
                "changelog.xml",
                XML("<changeSet id=\"1\" author=\"a\" runOrder=\"last\"/>" SET(
                        "2", "") "<changeSet id=\"3\" author=\"a\" runOrder=\"first\"/>"
                                 "<include file=\"sub/inc.xml\"/>" SET(
                                         "4",
                                         "") "<changeSet id=\"5\" author=\"a\" runOrder=\"last\"/>"
                                             "<includeAll path=\"all\"/>"));
        write_file("sub/inc.xml",
                   XML("<changeSet id=\"6\" author=\"a\" runOrder=\"last\"/>" SET(
                           "7", "") "<include file=\"other.xml\" relativeToChangelogFile=\"true\"/>"
                                    "<changeSet id=\"8\" author=\"a\" runOrder=\"first\"/>"));
        write_file("sub/other.xml",
                   "<databaseChangeLog logicalFilePath=\"/logical\\x\">" SET(
                           "9", "") "<changeSet id=\"10\" author=\"a\" logicalFilePath=\"mine\"/>"
                                    "</databaseChangeLog>");
        write_file("all/a/b.xml", XML(SET("11", "")));
        write_file("all/a.xml", XML(SET("12", "")));
        write_file("all/readme.txt", "no changelog");
        expect_sets("", "",
                    "changelog.xml:3 sub/inc.xml:8 changelog.xml:2 sub/inc.xml:7 logical/x:9 "
                    "mine:10 changelog.xml:4 all/a.xml:12 all/a/b.xml:11 changelog.xml:1 "
                    "sub/inc.xml:6 changelog.xml:5");
        drop_folder();
}

static void test_filters(void **state)
{
        (void) state;
        make_folder();
        write_file("changelog.xml", XML("<changeSet id=\"1\" author=\"a\" dbms=\"h2\"/>"
                                        "<changeSet id=\"2\" author=\"a\" context=\"b\"/>"
                                        "<changeSet id=\"3\" author=\"a\" labels=\"beta\"/>"
                                        "<changeSet id=\"4\" author=\"a\" ignore=\"true\"/>"
                                        "<include file=\"inc.xml\" context=\"b or c\"/>"
                                        "<include file=\"lab.xml\" labels=\"alpha\"/>"
                                        "<include file=\"ign.xml\" ignore=\"true\"/>"
                                        "<include file=\"nope.xml\" errorIfMissing=\"false\"/>"
                                        "<include file=\"CVS\"/>"));
        write_file("inc.xml", XML(SET("5", "")));
        write_file("lab.xml", XML(SET("6", "") "<changeSet id=\"7\" author=\"a\" labels=\"x\"/>"));
        write_file("ign.xml", XML(SET("8", "")));
        expect_sets("a", "alpha",
                    "changelog.xml:2-context changelog.xml:3-label changelog.xml:4-ignore "
                    "inc.xml:5-context lab.xml:6 lab.xml:7-label ign.xml:8-ignore");
        expect_sets("c", "",
                    "changelog.xml:2-context changelog.xml:3 changelog.xml:4-ignore inc.xml:5 "
                    "lab.xml:6 lab.xml:7 ign.xml:8-ignore");
        drop_folder();
}

static void test_columns(void **state)
{
        (void) state;
        Model *m = NULL;
        const ChangeSet *s;
        Error err;

        make_folder();
        write_file("changelog.xml", "<databaseChangeLog context=\"root, x\">"
                                    "<include file=\"a.xml\" context=\"inc\" labels=\" L1 ,l2\"/>"
                                    "</databaseChangeLog>");
        write_file("a.xml", "<databaseChangeLog context=\"own and more\" contextFilter=\"own\">"
                            "<changeSet id=\"1\" author=\"a\" context=\"A b\" labels=\"z,,Z,y,\">"
                            "<validCheckSum>ANY</validCheckSum><validCheckSum>8:abc</validCheckSum>"
                            "<validCheckSum>abc</validCheckSum>"
                            "<comment> one </comment><comment>two</comment>"
                            "<rollback/></changeSet></databaseChangeLog>");
        assert_int_equal(load(&m, "changelog.xml", "", "", &err), 0);
        assert_int_equal(m->n_sets, 1);
        s = m->sets[0];
        assert_string_equal(s->contexts_column, "own AND inc AND (root, x) AND (A b)");
        assert_string_equal(s->labels_column, "l1,l2,z,,y");
        assert_string_equal(s->comments, "one\ntwo");
        assert_int_equal(s->n_valid_checksums, 3);
        assert_string_equal(s->valid_checksums[0], "any");
        assert_string_equal(s->valid_checksums[1], "8:abc");
        assert_string_equal(s->valid_checksums[2], "1:abc");
        assert_string_equal(s->key, "a.xml::1::a");
        assert_int_equal(s->rollback, ROLLBACK_NOTHING);
        (void) model_free(m);
        drop_folder();
}

static void test_rollback(void **state)
{
        (void) state;
        Model *m = NULL;
        Error err;

        make_folder();
        write_file("changelog.xml",
                   XML(SET("1", "<sql>select 1</sql><sql>select 2</sql>") SET(
                           "2", "<rollback changeSetId=\"1\" changeSetAuthor=\"ANN\"/>"
                                "<rollback>drop table a; drop table b"
                                "<sql>select 3</sql></rollback>") SET("3", "<sql>select 1</sql>")
                               SET("4", "<rollback><empty/></rollback>") SET(
                                       "5",
                                       "<modifySql dbms=\"h2\"><append value=\"1\"/></modifySql>"
                                       "<modifySql context=\"b\"><append value=\"2\"/></modifySql>"
                                       "<modifySql labels=\"b\" applyToRollback=\"true\">"
                                       "<regExpReplace replace=\"x\" with=\"y\"/></modifySql>")));
        assert_int_equal(load(&m, "", "a", "", &err), 0);
        assert_int_equal(m->sets[1]->rollback, ROLLBACK_CHANGES);
        assert_int_equal(m->sets[1]->n_rollback_changes, 4);
        assert_ptr_equal(m->sets[1]->rollback_changes[1].set, m->sets[0]);
        assert_string_equal(m->sets[1]->rollback_changes[2].node->value, "select 3");
        assert_string_equal(m->sets[1]->rollback_changes[3].node->value,
                            "drop table a; drop table b");
        assert_int_equal(m->sets[2]->rollback, ROLLBACK_DERIVED);
        assert_int_equal(m->sets[3]->rollback, ROLLBACK_NOTHING);
        assert_int_equal(m->sets[4]->n_visitors, 1);
        assert_int_equal(m->sets[4]->visitors[0].kind, VISITOR_REGEXP_REPLACE);
        assert_string_equal(m->sets[4]->visitors[0].with, "y");
        assert_true(m->sets[4]->visitors[0].to_rollback);
        (void) model_free(m);
        drop_folder();
}

/* Where paths start at, and links that stay below. */
static void test_root(void **state)
{
        (void) state;
        char file[400], root[400], link[400], target[400], outside[] = "/usr", nothing[] = "";
        FormatOptions o = { .folder = file, .root = root, .table = nothing };
        Model *m = NULL;
        Error err = { 0 };

        make_folder();
        write_file("db/changelog.xml",
                   XML("<include file=\"inc.xml\" relativeToChangelogFile=\"true\"/>"
                       "<include file=\"classpath:/db/abs.xml\"/>"));
        write_file("other/real.xml", XML(SET("1", "")));
        path_in(link, sizeof link, "db/inc.xml");
        assert_int_equal(symlink("../other/real.xml", link), 0);
        path_in(link, sizeof link, "db/abs.xml");
        path_in(target, sizeof target, "other/real.xml");
        assert_int_equal(symlink(target, link), 0);
        path_in(file, sizeof file, "db/changelog.xml");
        path_in(root, sizeof root, "");
        assert_int_equal(model_load(&m, &o, NULL, &err), 0);
        assert_int_equal(m->n_sets, 2);
        assert_string_equal(m->sets[0]->path, "db/inc.xml");
        assert_string_equal(m->sets[1]->path, "db/abs.xml");
        (void) model_free(m);
        o.root = nothing; /* the folder db: the links lead out of it */
        assert_int_equal(model_load(&m, &o, NULL, &err), -ERROR_CHANGELOG);
        assert_non_null(strstr(err.text, "leads out of the folder"));
        o.root = outside;
        assert_int_equal(model_load(&m, &o, NULL, &err), -ERROR_CONFIG);
        drop_folder();
}

static void test_find(void **state)
{
        (void) state;
        char *found = NULL;
        Error err = { 0 };

        make_folder();
        assert_int_equal(model_find(&found, folder, &err), -ERROR_CHANGELOG);
        write_file("db.changelog-master.yaml", "databaseChangeLog: []\n");
        assert_int_equal(model_find(&found, folder, &err), 0);
        assert_non_null(strstr(found, "/db.changelog-master.yaml"));
        free(found);
        write_file("changelog.xml", XML(""));
        assert_int_equal(model_find(&found, folder, &err), -ERROR_CHANGELOG);
        assert_non_null(strstr(err.text, "changelog.xml, db.changelog-master.yaml"));
        drop_folder();
}

static void test_environment(void **state)
{
        (void) state;
        char file[400], nothing[] = "", name[] = "P", value[] = "option";
        Placeholder p = { .name = name, .value = value };
        FormatOptions o = {
                .folder = file, .root = nothing, .placeholders = &p, .n_placeholders = 1
        };
        static const char *const wants[] = { "${LQ_TEST}-option", "env-option" };

        make_folder();
        path_in(file, sizeof file, "changelog.xml");
        write_file("changelog.xml",
                   XML("<property name=\"p\" value=\"file\"/>" SET("${LQ_TEST}-${p}", "")));
        assert_int_equal(setenv("LQ_TEST", "env", 1), 0);
        for (int i = 0; i < 2; i++) {
                Model *m = NULL;
                Error err = { 0 };

                o.allow_environment = i;
                assert_int_equal(model_load(&m, &o, NULL, &err), 0);
                assert_string_equal(m->sets[0]->id, wants[i]);
                assert_false(m->properties.wants_database);
                (void) model_free(m);
        }
        drop_folder();
}

#define MANY 10000

static void test_many(void **state)
{
        (void) state;
        struct timespec began, ended;
        char path[400];
        Model *m = NULL;
        Error err;
        FILE *out;

        make_folder();
        path_in(path, sizeof path, "changelog.xml");
        out = fopen(path, "w");
        assert_non_null(out);
        (void) fputs("<databaseChangeLog>\n<property name=\"t\" value=\"text\"/>\n"
                     "<changeSet id=\"-1\" author=\"ann\"/>\n",
                     out);
        for (int i = 0; i < MANY; i++)
                (void) fprintf(
                        out,
                        "<changeSet id=\"%d\" author=\"ann\"%s><sql>select ${t} from t%d</sql>"
                        "<rollback changeSetId=\"%d\" changeSetAuthor=\"ann\"/></changeSet>\n",
                        i, i % 2 ? " runOrder=\"last\" context=\"a and (b or c)\"" : "", i, i - 1);
        (void) fputs("</databaseChangeLog>\n", out);
        assert_int_equal(fclose(out), 0);
        (void) clock_gettime(CLOCK_MONOTONIC, &began);
        int r = load(&m, "", "a,b", "", &err);
        (void) clock_gettime(CLOCK_MONOTONIC, &ended);
        assert_int_equal(r, 0);
        assert_int_equal(m->n_sets, MANY + 1);
        assert_int_equal(m->n_faults, 0);
        assert_string_equal(m->sets[MANY]->id, "9999");
        /* Generous, for sanitizers and busy machines: what is quadratic takes minutes. */
        assert_true(ended.tv_sec - began.tv_sec < 10);
        (void) model_free(m);
        drop_folder();
}

static void test_normalise(void **state)
{
        (void) state;
        static const struct {
                const char *path, *want;
        } cases[] = {
                { "a/b.xml", "a/b.xml" },
                { "/a/b.xml", "a/b.xml" },
                { "classpath:a.xml", "a.xml" },
                { "classpath:/db/a.xml", "db/a.xml" },
                { "C:\\db\\a.xml", "db/a.xml" },
                { "a//b/./c/", "a/b/c" },
                { "./sub/../sub/four.json", "sub/four.json" },
                { "a/../b", "b" },
                { "../a", "../a" },
                { "../../a/..", "../.." },
                { "a/../..", ".." },
                { "", "" },
                { ".", "" },
                { "a/..", "" },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_arena_ Arena a = ARENA_INIT(1 << 20);

                assert_string_equal(path_normalise(&a, cases[i].path), cases[i].want);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_corpus),      cmocka_unit_test(test_wrong),
                cmocka_unit_test(test_error_cases), cmocka_unit_test(test_faults),
                cmocka_unit_test(test_order),       cmocka_unit_test(test_filters),
                cmocka_unit_test(test_columns),     cmocka_unit_test(test_rollback),
                cmocka_unit_test(test_root),        cmocka_unit_test(test_find),
                cmocka_unit_test(test_environment), cmocka_unit_test(test_many),
                cmocka_unit_test(test_normalise),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
