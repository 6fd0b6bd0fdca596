import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

import liquibase.integration.commandline.LiquibaseCommandLine;

/**
 * The real Liquibase, kept warm: a JVM takes seconds to start, a command in it tenths. Each line of input is a command, its
 * words in base64; each line of output its exit code and, in base64, what it printed and what it complained about.
 */
public class RunLiquibase {
    public static void main(String[] unused) throws Exception {
        PrintStream out = System.out;
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line; (line = in.readLine()) != null;) {
            String[] words = line.trim().split(" ");
            for (int i = 0; i < words.length; i++)
                words[i] = new String(Base64.getDecoder().decode(words[i]), StandardCharsets.UTF_8);
            ByteArrayOutputStream said = new ByteArrayOutputStream(), complained = new ByteArrayOutputStream();
            System.setOut(new PrintStream(said, true, "UTF-8"));
            System.setErr(new PrintStream(complained, true, "UTF-8"));
            int code;
            try {
                code = new LiquibaseCommandLine().execute(words);
            } catch (Throwable t) {
                t.printStackTrace();
                code = 99;
            }
            Base64.Encoder e = Base64.getEncoder();
            out.println(code + " " + e.encodeToString(said.toByteArray()) + " " + e.encodeToString(complained.toByteArray()));
            out.flush();
        }
    }
}
