package wsprovider.live;

import com.google.gson.JsonObject;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import jakarta.xml.ws.Endpoint;
import jakarta.xml.ws.soap.SOAPBinding;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import javax.xml.transform.stream.StreamSource;

/** Command "metro-server": an echo service by Metro on a loopback port, there until the driver ends. */
final class MetroServer implements Command {
    private static final int THREADS = 4;

    static {
        // Metro's management beans are named after service and port, so two servers of one service would collide.
        System.setProperty("com.sun.xml.ws.monitoring.endpoint", "false");
    }

    @Override
    public JsonObject run(Request request) throws Exception {
        KeyMaterial material = KeyMaterial.ofService(request);
        Users.add(request.values("users"));
        boolean tls = request.flag("tls", false);
        HttpServer http = listen(request.number("port", 0), tls ? material : null);
        String url = (tls ? "https" : "http") + "://127.0.0.1:" + http.getAddress().getPort() + "/echo";

        Path folder = Files.createTempDirectory("metro-server");
        Contract contract = contract(request).at(url);
        if (request.has("policy")) {
            contract.ruledBy(request.path("policy"));
        }
        if (request.flag("addressing", false)) {
            contract.with(Configuration.addressing());
        }
        Path published = folder.resolve("published.wsdl");
        contract.write(published);
        // The configuration stays out of what clients are given.
        Path served = folder.resolve("served.wsdl");
        contract.copy().with(Configuration.ofServer(request, material, folder)).write(served);

        String soap = request.text("soap", "1.1");
        Endpoint endpoint = Endpoint.create(
            "1.2".equals(soap) ? SOAPBinding.SOAP12HTTP_BINDING : SOAPBinding.SOAP11HTTP_BINDING, new EchoService());
        endpoint.setMetadata(List.of(new StreamSource(served.toUri().toString())));
        endpoint.setProperties(Map.of(
            Endpoint.WSDL_SERVICE, contract.service(), Endpoint.WSDL_PORT, contract.port(soap)));
        endpoint.publish(http.createContext("/echo"));
        http.start();

        JsonObject answer = new JsonObject();
        answer.addProperty("url", url);
        answer.addProperty("wsdl", published.toString());
        return answer;
    }

    private static Contract contract(Request request) throws Exception {
        if (request.has("wsdl")) {
            return Contract.read(request.text("wsdl"), KeyMaterial.ofClient(request));
        }
        try (InputStream in = MetroServer.class.getResourceAsStream("/echo.wsdl")) {
            return new Contract(Xml.parse(in.readAllBytes()));
        }
    }

    private static HttpServer listen(int port, KeyMaterial tls) throws Exception {
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        HttpServer server;
        if (tls == null) {
            server = HttpServer.create(address, 0);
        } else {
            HttpsServer secure = HttpsServer.create(address, 0);
            secure.setHttpsConfigurator(new HttpsConfigurator(tls.tls(true)));
            server = secure;
        }
        server.setExecutor(Executors.newFixedThreadPool(THREADS));
        return server;
    }
}
