/* XML to the tree. Nothing is fetched: a DTD may define entities of its own text, within expat's limits, and nothing else. */
#include <stdio.h>
#include <string.h>

#include <expat.h>
#include <iconv.h>

#include "format/liquibase/syntax/node.h"

/* Between the name of a namespace and the local one. */
#define SEPARATOR '\n'
/* What entities may make of a file: so many times its size, and so many bytes in any case. expat has limits of its own, wider ones. */
#define MAX_AMPLIFICATION 10
#define ALWAYS_ALLOWED ((size_t) 1 << 20)

typedef struct Reader {
        XML_Parser parser;
        Arena *arena;
        const char *path;
        Node *root;
        Node *stack[NODE_MAX_DEPTH];
        Text texts[NODE_MAX_DEPTH]; /* of the elements on the stack */
        size_t depth, count;
        size_t expanded, max_expanded; /* bytes of texts and values of attributes */
        Error *err;
} Reader;

static void fail(Reader *r, ErrorCode code, const char *what)
{
        if (r->err->code != ERROR_NONE)
                return;
        error_set_to(r->err, code, "%s", what);
        (void) error_at(r->err, r->path, XML_GetCurrentLineNumber(r->parser),
                        XML_GetCurrentColumnNumber(r->parser) + 1);
        (void) XML_StopParser(r->parser, XML_FALSE);
}

static bool count_bytes(Reader *r, size_t n)
{
        r->expanded += n;
        if (r->expanded <= r->max_expanded)
                return true;
        fail(r, ERROR_CHANGELOG, "entities expand to too much text");
        return false;
}

static const char *local_name(const char *name)
{
        const char *sep = strrchr(name, SEPARATOR);

        return sep ? sep + 1 : name;
}

static Node *add_node(Reader *r, const char *name)
{
        Node *n;

        if (++r->count > NODE_MAX_COUNT) {
                fail(r, ERROR_CHANGELOG, "the file has too many elements");
                return NULL;
        }
        n = node_new(r->arena, name, XML_GetCurrentLineNumber(r->parser),
                     XML_GetCurrentColumnNumber(r->parser) + 1);
        if (!n)
                fail(r, ERROR_OOM, "not enough memory for the changelog");
        return n;
}

static void add_attribute(Reader *r, Node *element, const char *name, const char *value)
{
        Node *n = add_node(r, local_name(name));

        if (!n || !count_bytes(r, strlen(value)))
                return;
        n->attribute = true;
        n->type = NODE_TEXT;
        n->value = arena_strdup(r->arena, value);
        if (!n->value)
                fail(r, ERROR_OOM, "not enough memory for the changelog");
        node_add(element, n);
}

static void on_start(void *userdata, const char *name, const char **attributes)
{
        Reader *r = userdata;
        Node *n;

        if (r->err->code != ERROR_NONE)
                return;
        if (r->depth == NODE_MAX_DEPTH) {
                fail(r, ERROR_CHANGELOG, "elements are nested too deeply");
                return;
        }
        n = add_node(r, local_name(name));
        if (!n)
                return;
        for (; *attributes; attributes += 2)
                add_attribute(r, n, attributes[0], attributes[1]);
        if (r->depth > 0)
                node_add(r->stack[r->depth - 1], n);
        else
                r->root = n;
        r->texts[r->depth] = TEXT_INIT(NODE_MAX_FILE);
        r->stack[r->depth++] = n;
}

/* White space before the first character that counts is not kept anyway, so the first line is that of a character that does. */
static void on_text(void *userdata, const char *s, int len)
{
        Reader *r = userdata;
        Node *n;
        Text *t;

        if (r->err->code != ERROR_NONE)
                return;
        if (!count_bytes(r, (size_t) len))
                return;
        n = r->stack[r->depth - 1];
        t = &r->texts[r->depth - 1];
        if (t->len == 0) {
                while (len > 0 && (unsigned char) *s <= ' ')
                        s++, len--;
                if (len == 0)
                        return;
                n->value_line = XML_GetCurrentLineNumber(r->parser);
        }
        text_append(t, s, (size_t) len);
}

static void on_end(void *userdata, const char *name)
{
        Reader *r = userdata;
        Node *n;
        Text *t;

        (void) name;
        /* After the parser was told to stop it still reports the end of an element that is empty. */
        if (r->err->code != ERROR_NONE)
                return;
        n = r->stack[--r->depth];
        t = &r->texts[r->depth];
        if (t->bad)
                fail(r, ERROR_OOM, "not enough memory for the changelog");
        else if (t->len > 0) {
                n->type = NODE_TEXT;
                n->value = java_trimmed(r->arena, text_str(t));
                if (!n->value)
                        fail(r, ERROR_OOM, "not enough memory for the changelog");
        }
        text_done(t);
}

/* Files and addresses are never read: whoever writes a changelog must not see what the daemon can. */
static int on_external(XML_Parser parser, const char *context, const char *base, const char *system,
                       const char *public)
{
        (void) parser;
        (void) context;
        (void) base;
        (void) system;
        (void) public;
        return XML_STATUS_ERROR;
}

/* Encodings of one byte a character, through iconv. */
static int on_encoding(void *userdata, const char *name, XML_Encoding *info)
{
        iconv_t cd = iconv_open("UTF-32LE", name);

        (void) userdata;
        if (cd == (iconv_t) -1)
                return XML_STATUS_ERROR;
        for (int i = 0; i < 256; i++) {
                char byte = (char) i, *in = &byte;
                unsigned char out[4];
                char *to = (char *) out;
                size_t in_left = 1, out_left = sizeof out;

                info->map[i] = -1;
                if (iconv(cd, &in, &in_left, &to, &out_left) != (size_t) -1 && out_left == 0)
                        info->map[i] = out[0] | out[1] << 8 | out[2] << 16;
                (void) iconv(cd, NULL, NULL, NULL, NULL);
        }
        (void) iconv_close(cd);
        info->data = NULL;
        info->convert = NULL;
        info->release = NULL;
        return XML_STATUS_OK;
}

static int syntax_error(Reader *r, Error *err)
{
        enum XML_Error code = XML_GetErrorCode(r->parser);

        if (err->code != ERROR_NONE)
                return -(int) err->code;
        (void) error_set(err, ERROR_CHANGELOG, "%s",
                         code == XML_ERROR_EXTERNAL_ENTITY_HANDLING
                                 ? "an external entity, which is not read"
                                 : XML_ErrorString(code));
        return error_at(err, r->path, XML_GetCurrentLineNumber(r->parser),
                        XML_GetCurrentColumnNumber(r->parser) + 1);
}

static int check_root(const Reader *r, Error *err)
{
        if (r->root && strcmp(r->root->name, "databaseChangeLog") == 0)
                return 0;
        (void) error_set(err, ERROR_CHANGELOG,
                         "the file begins with <%s>, not with <databaseChangeLog>",
                         r->root ? r->root->name : "");
        return error_at(err, r->path, r->root ? r->root->line : 1, 1);
}

static int feed(Reader *r, const char *data, size_t size, Error *err)
{
        const size_t piece = (size_t) 1 << 20;

        while (size > piece) {
                if (XML_Parse(r->parser, data, (int) piece, XML_FALSE) != XML_STATUS_OK)
                        return syntax_error(r, err);
                data += piece;
                size -= piece;
        }
        return XML_Parse(r->parser, data, (int) size, XML_TRUE) == XML_STATUS_OK
                       ? 0
                       : syntax_error(r, err);
}

int read_xml(Node **ret, Arena *a, const char *data, size_t size, const char *path, Error *err)
{
        Reader r = { .arena = a, .path = path, .err = err };
        int result;

        *err = (Error){ .code = ERROR_NONE };
        if (size > NODE_MAX_FILE) {
                (void) error_set(err, ERROR_CHANGELOG, "the file is bigger than %zu MiB",
                                 NODE_MAX_FILE >> 20);
                return error_at(err, path, 0, 0);
        }
        r.max_expanded = size * MAX_AMPLIFICATION + ALWAYS_ALLOWED;
        r.parser = XML_ParserCreateNS(NULL, SEPARATOR);
        if (!r.parser)
                return error_oom(err, "a changelog");
        XML_SetUserData(r.parser, &r);
        XML_SetElementHandler(r.parser, on_start, on_end);
        XML_SetCharacterDataHandler(r.parser, on_text);
        /* Those of the DTD too: one that is passed over takes its definitions with it, and text disappears without a word. */
        XML_SetExternalEntityRefHandler(r.parser, on_external);
        (void) XML_SetParamEntityParsing(r.parser, XML_PARAM_ENTITY_PARSING_ALWAYS);
        XML_SetUnknownEncodingHandler(r.parser, on_encoding, NULL);
        result = feed(&r, data, size, err);
        if (result >= 0)
                result = check_root(&r, err);
        while (r.depth > 0)
                text_done(&r.texts[--r.depth]);
        XML_ParserFree(r.parser);
        if (result >= 0)
                *ret = r.root;
        return result;
}
