import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.util.Properties;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.MigrationInfo;

/**
 * The real Flyway, one command a line of standard input, so that a Java machine is started once for many commands.
 * A request is a command and key=value pairs, apart by spaces; an answer is a verdict ("ok" or "error") and words: the
 * number of migrations that ran, the message, or five for each migration of info (version, description, state, script,
 * checksum). All words are URL-encoded.
 */
public class RunFlyway {
    private static final PrintStream OUT = System.out;

    public static void main(String[] arguments) throws Exception {
        System.setOut(System.err);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            StringBuilder answer = new StringBuilder();
            try {
                run(line.split(" "), answer);
                OUT.println("ok" + answer);
            } catch (Throwable t) {
                answer.setLength(0);
                add(answer, t.getClass().getSimpleName() + ": " + t.getMessage());
                OUT.println("error" + answer);
            }
            OUT.flush();
        }
    }

    private static void add(StringBuilder answer, Object word) throws Exception {
        answer.append(' ').append(URLEncoder.encode(word == null ? "" : word.toString(), "UTF-8"));
    }

    private static void run(String[] words, StringBuilder answer) throws Exception {
        Properties properties = new Properties();
        for (int i = 1; i < words.length; i++) {
            int equals = words[i].indexOf('=');
            properties.setProperty(
                    words[i].substring(0, equals), URLDecoder.decode(words[i].substring(equals + 1), "UTF-8"));
        }
        Flyway flyway = Flyway.configure().configuration(properties).load();
        switch (words[0]) {
            case "migrate":
                add(answer, flyway.migrate().migrationsExecuted);
                break;
            case "validate":
                flyway.validate();
                break;
            case "repair":
                flyway.repair();
                break;
            case "baseline":
                flyway.baseline();
                break;
            case "info":
                for (MigrationInfo info : flyway.info().all()) {
                    add(answer, info.getVersion());
                    add(answer, info.getDescription());
                    add(answer, info.getState().getDisplayName());
                    add(answer, info.getScript());
                    add(answer, info.getChecksum());
                }
                break;
            default:
                throw new IllegalArgumentException("no such command: " + words[0]);
        }
    }
}
