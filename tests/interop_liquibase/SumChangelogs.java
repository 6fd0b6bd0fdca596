import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Paths;
import java.util.Base64;
import java.util.Map;
import java.util.logging.LogManager;

import liquibase.ChecksumVersion;
import liquibase.Contexts;
import liquibase.LabelExpression;
import liquibase.Scope;
import liquibase.changelog.ChangeLogParameters;
import liquibase.changelog.ChangeSet;
import liquibase.changelog.filter.ContextChangeSetFilter;
import liquibase.changelog.filter.DbmsChangeSetFilter;
import liquibase.database.Database;
import liquibase.database.DatabaseFactory;
import liquibase.parser.ChangeLogParserFactory;
import liquibase.resource.DirectoryResourceAccessor;

/**
 * What the real Liquibase makes of changelogs, without a database. Each line of input names one: folder, file, contexts, separated by
 * tabs. Each line of output has, in base64 and separated by spaces, six words for each changeset and version of checksums (9, 8), or
 * the single word of an error: path, id, author, checksum, description, comments.
 */
public class SumChangelogs {
    private static String word(String s) {
        return "=" + Base64.getEncoder().encodeToString((s == null ? "" : s).getBytes(StandardCharsets.UTF_8));
    }

    private static void add(StringBuilder out, ChangeSet set) {
        for (ChecksumVersion version : new ChecksumVersion[] {ChecksumVersion.V9, ChecksumVersion.V8}) {
            set.clearCheckSum();
            for (String s : new String[] {set.getFilePath(), set.getId(), set.getAuthor(), set.generateCheckSum(version).toString(),
                                          set.getDescription(), set.getComments()})
                out.append(out.length() > 0 ? " " : "").append(word(s));
        }
    }

    private static void read(StringBuilder out, String file, String contexts, DirectoryResourceAccessor files) throws Exception {
        Database database = DatabaseFactory.getInstance().openDatabase("offline:postgresql?version=15.0&outputLiquibaseSql=none", null,
                                                                       null, null, files);
        ChangeLogParameters parameters = new ChangeLogParameters(database);
        Contexts active = new Contexts(contexts);
        parameters.setContexts(active);
        parameters.setLabels(new LabelExpression(""));
        Scope.child(Map.of(Scope.Attr.database.name(), database), () -> {
            for (ChangeSet set : ChangeLogParserFactory.getInstance().getParser(file, files).parse(file, parameters, files)
                     .getChangeSets()) {
                /* They take away the modifySql that does not match, for good. */
                new ContextChangeSetFilter(active).accepts(set);
                new DbmsChangeSetFilter(database).accepts(set);
                add(out, set);
            }
        });
    }

    public static void main(String[] unused) throws Exception {
        PrintStream answers = System.out;
        System.setOut(System.err);
        LogManager.getLogManager().reset();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null;) {
            String[] words = line.split("\t", -1);
            StringBuilder out = new StringBuilder();
            try {
                DirectoryResourceAccessor files = new DirectoryResourceAccessor(Paths.get(words[0]));
                Scope.child(Map.of(Scope.Attr.resourceAccessor.name(), files), () -> read(out, words[1], words[2], files));
            } catch (Exception e) {
                out.setLength(0);
                out.append(word(e.toString()));
            }
            answers.println(out);
            answers.flush();
        }
    }
}
