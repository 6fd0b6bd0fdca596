-- One row for each object of the managed schemas: kind, identity, the relation that it is a part of, md5 of its definition.
-- Wants search_path = pg_catalog, so that names come out qualified. The three %s: schemas, tables to leave out, the
-- expression for attgenerated, which PostgreSQL 11 does not have. No oid may get into a definition.
-- member: what belongs to an extension, and the functions that a range type brings along.
WITH managed AS (
  SELECT n.oid, quote_ident(n.nspname) AS name FROM pg_namespace n WHERE n.nspname IN (%s)
), member AS (
  SELECT d.classid, d.objid FROM pg_depend d
  WHERE d.deptype = 'e' OR (d.deptype = 'i' AND d.classid = 'pg_proc'::regclass)
), relation AS (
  SELECT c.oid, c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity, c.reloptions, c.relpartbound,
    m.name AS schema, m.name || '.' || quote_ident(c.relname) AS object
  FROM pg_class c JOIN managed m ON m.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c', 'S') AND c.relpersistence <> 't' AND c.relname NOT IN (%s)
    AND NOT EXISTS (SELECT FROM member e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid)
    AND NOT EXISTS (SELECT FROM member e WHERE e.classid = 'pg_type'::regclass AND e.objid = c.reltype)
), object AS (
  SELECT CASE r.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
      WHEN 'c' THEN 'type' ELSE 'table' END AS kind, r.object, NULL::text AS part_of,
    json_build_array(r.relkind, r.relpersistence, r.relrowsecurity, r.relforcerowsecurity, r.reloptions,
      CASE WHEN r.relkind IN ('v', 'm') THEN pg_get_viewdef(r.oid) END,
      CASE WHEN r.relkind = 'p' THEN pg_get_partkeydef(r.oid) END, pg_get_expr(r.relpartbound, r.oid),
      (SELECT json_agg(i.inhparent::regclass::text ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = r.oid),
      (SELECT json_build_array(s.srvname, f.ftoptions) FROM pg_foreign_table f
        JOIN pg_foreign_server s ON s.oid = f.ftserver WHERE f.ftrelid = r.oid))::text AS definition
  FROM relation r WHERE r.relkind <> 'S'
  UNION ALL
  SELECT 'column', r.object || '.' || quote_ident(a.attname), r.object,
    json_build_array(format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, %s,
      pg_get_expr(d.adbin, d.adrelid), n.nspname, co.collname)::text
  FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN pg_collation co ON co.oid = a.attcollation LEFT JOIN pg_namespace n ON n.oid = co.collnamespace
  WHERE r.relkind IN ('r', 'p', 'f', 'c')
  UNION ALL
  SELECT 'constraint', quote_ident(c.conname) || ' on ' || r.object, r.object, pg_get_constraintdef(c.oid)
  FROM relation r JOIN pg_constraint c ON c.conrelid = r.oid AND c.contype NOT IN ('n', 't')
  UNION ALL
  SELECT 'index', r.schema || '.' || quote_ident(i.relname), r.object,
    json_build_array(pg_get_indexdef(x.indexrelid), x.indisvalid)::text
  FROM relation r JOIN pg_index x ON x.indrelid = r.oid JOIN pg_class i ON i.oid = x.indexrelid
  WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.oid AND c.contype IN ('p', 'u', 'x'))
  UNION ALL
  SELECT 'trigger', quote_ident(t.tgname) || ' on ' || r.object, r.object,
    json_build_array(pg_get_triggerdef(t.oid), t.tgenabled)::text
  FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
  UNION ALL
  SELECT 'rule', quote_ident(w.rulename) || ' on ' || r.object, r.object,
    json_build_array(pg_get_ruledef(w.oid), w.ev_enabled)::text
  FROM relation r JOIN pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'
  UNION ALL
  SELECT 'policy', quote_ident(p.polname) || ' on ' || r.object, r.object,
    json_build_array(p.polcmd, p.polpermissive,
      ARRAY(SELECT CASE u WHEN 0 THEN 'public' ELSE pg_get_userbyid(u)::text END FROM unnest(p.polroles) u ORDER BY 1),
      pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))::text
  FROM relation r JOIN pg_policy p ON p.polrelid = r.oid
  UNION ALL
  SELECT 'sequence', r.object,
    (SELECT min(o.object) FROM pg_depend d JOIN relation o ON o.oid = d.refobjid WHERE d.classid = 'pg_class'::regclass
      AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')),
    json_build_array(r.relpersistence, s.seqtypid::regtype::text, s.seqstart, s.seqincrement, s.seqmax, s.seqmin,
      s.seqcache, s.seqcycle)::text
  FROM relation r JOIN pg_sequence s ON s.seqrelid = r.oid
  UNION ALL
  SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END,
    m.name || '.' || quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')', NULL,
    CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END
  FROM pg_proc p JOIN managed m ON m.oid = p.pronamespace
  WHERE p.prokind <> 'a'
    AND NOT EXISTS (SELECT FROM member e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid)
  UNION ALL
  SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, m.name || '.' || quote_ident(t.typname), NULL,
    json_build_array(t.typtype, t.typnotnull, t.typdefault,
      CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
      (SELECT json_agg(l.enumlabel ORDER BY l.enumsortorder) FROM pg_enum l WHERE l.enumtypid = t.oid),
      (SELECT json_agg(json_build_array(c.conname, pg_get_constraintdef(c.oid)) ORDER BY c.conname)
        FROM pg_constraint c WHERE c.contypid = t.oid AND c.contype <> 'n'),
      (SELECT json_build_array(g.rngsubtype::regtype::text, g.rngcanonical::regproc::text, g.rngsubdiff::regproc::text)
        FROM pg_range g WHERE g.rngtypid = t.oid))::text
  FROM pg_type t JOIN managed m ON m.oid = t.typnamespace
  WHERE t.typtype IN ('e', 'd', 'r')
    AND NOT EXISTS (SELECT FROM member e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid)
)
SELECT kind, object, part_of, md5(coalesce(definition, '')) FROM object
ORDER BY kind COLLATE "C", object COLLATE "C"
