package wsprovider.live;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.Security;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/**
 * Reads one JSON command per line and answers each with one JSON line. Commands run side by side, so that only the {@code id} tells which answer
 * belongs to which command. Whatever else is printed goes to stderr.
 */
public final class Main {
    private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().serializeNulls().create();

    private final Axis2 axis2 = new Axis2();
    private final Sessions sessions = new Sessions(axis2);
    private final PrintStream answers;

    private Main(PrintStream answers) {
        this.answers = answers;
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err);
        quietLogging();
        // WSS4J would put a Bouncy Castle of its choice second in line and so before the JDK's TLS and PKCS#12; last in line it stays out of the way.
        Security.addProvider(new BouncyCastleProvider());
        new Main(answers).serve(new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)));
        System.exit(0); // Axis2 and HttpClient leave threads behind.
    }

    private void serve(BufferedReader lines) throws IOException {
        ExecutorService workers = Executors.newCachedThreadPool();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JsonObject command = JsonParser.parseString(line).getAsJsonObject();
            String name = command.get("cmd").getAsString();
            if (name.equals("quit")) {
                answer(command, Map.of());
                return;
            }
            workers.execute(() -> answer(command, run(name, command)));
        }
    }

    private Map<String, Object> run(String name, JsonObject command) {
        try {
            return switch (name) {
                case "ping" -> Map.of();
                case "rampart-call" -> sessions.call(GSON.fromJson(command, CallSpec.class));
                case "rampart-server" -> Map.of("url", EchoServer.start(axis2, GSON.fromJson(command, ServerSpec.class)));
                default -> throw new IllegalArgumentException("unknown cmd: " + name);
            };
        } catch (Exception | LinkageError failure) {
            return Failures.answer(failure);
        }
    }

    private void answer(JsonObject command, Map<String, Object> fields) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("id", command.get("id"));
        answer.put("ok", true);
        answer.putAll(fields);
        String line = GSON.toJson(answer);
        synchronized (answers) {
            answers.println(line);
        }
    }

    private static void quietLogging() {
        boolean verbose = Boolean.getBoolean("wsprovider.verbose");
        Logger.getLogger("").setLevel(verbose ? Level.FINE : Level.OFF);
    }
}
