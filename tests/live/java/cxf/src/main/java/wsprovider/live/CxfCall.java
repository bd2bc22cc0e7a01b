package wsprovider.live;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/** Command "cxf-call": calls the echo service by clients that read their policy from the WSDL. */
final class CxfCall implements Command {
    private final Map<String, CxfClient> sessions = new ConcurrentHashMap<>();

    /** What one client got from its row of calls; it stops at the first failure. */
    private record Row(List<Document> replies, List<Long> micros, Throwable problem) { }

    @Override
    public JsonObject run(Request request) throws Exception {
        long start = System.nanoTime();
        int parallel = request.number("parallel", 1);
        JsonObject answer;
        if (request.has("session")) {
            if (parallel != 1) {
                throw new IllegalArgumentException("a session serves one row of calls at a time");
            }
            answer = withSession(request);
        } else {
            answer = withFreshClients(request, parallel);
        }
        answer.addProperty("millis", (System.nanoTime() - start) / 1_000_000);
        return answer;
    }

    private JsonObject withSession(Request request) throws Exception {
        String name = request.text("session");
        CxfClient client;
        synchronized (sessions) {
            client = sessions.get(name);
            if (client == null) {
                client = new CxfClient(request);
                sessions.put(name, client);
            }
        }
        synchronized (client) {
            client.recorder().clear();
            JsonObject answer = told(List.of(calls(client, request)));
            record(request, client, answer);
            if (request.flag("endSession", false)) {
                sessions.remove(name);
                client.close();
            }
            return answer;
        }
    }

    private static JsonObject withFreshClients(Request request, int parallel) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(parallel);
        List<CxfClient> clients = new ArrayList<>();
        try {
            List<Callable<Row>> rows = new ArrayList<>();
            for (int i = 0; i < parallel; i++) {
                CxfClient client = new CxfClient(request);
                clients.add(client);
                rows.add(() -> calls(client, request));
            }
            List<Row> done = new ArrayList<>();
            for (Future<Row> row : threads.invokeAll(rows)) {
                done.add(row.get());
            }
            JsonObject answer = told(done);
            record(request, clients.get(0), answer);
            return answer;
        } finally {
            threads.shutdown();
            clients.forEach(CxfClient::close);
        }
    }

    private static Row calls(CxfClient client, Request request) {
        List<Document> replies = new ArrayList<>();
        List<Long> micros = new ArrayList<>();
        try {
            if (request.flag("renew", false)) {
                client.expireToken();
            }
            if (request.flag("forget", false)) {
                client.forgetToken();
            }
            int count = request.number("calls", 1);
            for (int i = 1; i <= count; i++) {
                Document payload = request.has("payload")
                    ? Xml.parse(request.text("payload")) : Xml.echo(request.text("text", ""));
                long start = System.nanoTime();
                if (request.flag("oneWay", false)) {
                    client.tell(payload);
                } else {
                    replies.add(client.call(payload, i == count && request.flag("cancel", false)));
                }
                micros.add((System.nanoTime() - start) / 1_000);
            }
            return new Row(replies, micros, null);
        } catch (Exception problem) {
            return new Row(replies, micros, problem);
        }
    }

    private static JsonObject told(List<Row> rows) {
        JsonArray texts = new JsonArray();
        JsonArray micros = new JsonArray();
        JsonArray failures = new JsonArray();
        Element last = null;
        JsonObject answer = new JsonObject();
        for (Row row : rows) {
            for (Document reply : row.replies()) {
                last = reply.getDocumentElement();
                texts.add(Xml.argument(last));
            }
            row.micros().forEach(micros::add);
            if (row.problem() != null) {
                JsonObject failure = Failure.of(row.problem());
                if (failures.isEmpty()) {
                    answer = failure.deepCopy();
                }
                failures.add(failure);
            }
        }
        if (failures.isEmpty()) {
            answer.addProperty("ok", true);
            answer.add("text", texts.isEmpty() ? null : texts.get(texts.size() - 1));
            answer.addProperty("response", last == null ? null : Xml.text(last));
        } else {
            answer.add("failures", failures);
        }
        answer.add("texts", texts);
        answer.add("micros", micros);
        return answer;
    }

    private static void record(Request request, CxfClient client, JsonObject answer) throws Exception {
        answer.add("conversation", client.conversation());
        if (request.has("attachRecord")) {
            client.recorder().write(request.path("attachRecord"));
        }
        if (request.flag("record", false)) {
            answer.add("exchanges", client.recorder().toJson());
        }
    }
}
