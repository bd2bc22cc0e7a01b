package wsprovider.live;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Reads one JSON request per line from standard input and answers each by one line on standard output.
 *
 * <p>Requests run side by side, so answers may come in another order; the field {@code id} tells which is which.
 * Everything else that is printed goes to standard error.
 */
public final class Main {
    private static final Gson GSON = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();

    private final Map<String, Command> commands = new LinkedHashMap<>();
    private final PrintStream answers;

    private Main(PrintStream answers) {
        this.answers = answers;
        commands.put("ping", request -> new JsonObject());
        commands.put("metro-call", new MetroCall());
        commands.put("metro-server", new MetroServer());
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err);
        Logger.getLogger("").setLevel(Level.WARNING);
        int status = 1;
        try {
            new Main(answers).serve();
            status = 0;
        } finally {
            System.exit(status);
        }
    }

    private void serve() throws Exception {
        ExecutorService workers = Executors.newCachedThreadPool();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JsonObject request = JsonParser.parseString(line).getAsJsonObject();
            if ("quit".equals(request.get("cmd").getAsString())) {
                answer(request.get("id"), new JsonObject());
                return;
            }
            workers.execute(() -> answer(request.get("id"), run(new Request(request))));
        }
    }

    private JsonObject run(Request request) {
        try {
            Command command = commands.get(request.required("cmd"));
            if (command == null) {
                throw new IllegalArgumentException("unknown command; known are " + commands.keySet());
            }
            return command.run(request);
        } catch (Exception | LinkageError problem) {
            return Failure.of(problem);
        }
    }

    private void answer(JsonElement id, JsonObject body) {
        JsonObject answer = new JsonObject();
        answer.add("id", id);
        if (!body.has("ok")) {
            answer.addProperty("ok", true);
        }
        body.entrySet().forEach(field -> answer.add(field.getKey(), field.getValue()));
        String line = GSON.toJson(answer);
        synchronized (answers) {
            answers.println(line);
        }
    }
}
