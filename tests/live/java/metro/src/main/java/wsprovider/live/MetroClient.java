package wsprovider.live;

import com.sun.xml.ws.api.ResourceLoader;
import com.sun.xml.ws.api.WSService;
import com.sun.xml.ws.api.pipe.TransportTubeFactory;
import com.sun.xml.ws.api.server.Container;
import com.sun.xml.ws.developer.JAXWSProperties;
import jakarta.xml.ws.BindingProvider;
import jakarta.xml.ws.Dispatch;
import jakarta.xml.ws.Service;
import jakarta.xml.ws.WebServiceFeature;
import jakarta.xml.ws.soap.AddressingFeature;
import java.io.Closeable;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import javax.xml.transform.Source;
import javax.xml.transform.dom.DOMSource;
import org.w3c.dom.Document;

/** A Metro client that set itself up from a WSDL, and knows nothing but key material and passwords besides. */
final class MetroClient implements AutoCloseable {
    private final WireRecorder recorder = new WireRecorder();
    private final Dispatch<Source> dispatch;

    MetroClient(Request request) throws Exception {
        KeyMaterial material = KeyMaterial.ofClient(request);
        Kerberos.configure(request);
        Path folder = Files.createTempDirectory("metro-client");
        Contract contract = Contract.read(request.required("wsdl"), material);
        // Metro finds its configuration by the names of service and port, in a WSDL of its own.
        URL configuration = contract.copy().bare()
            .with(Configuration.ofClient(request, material, folder)).write(folder.resolve("wsit-client.xml"));
        if (request.has("policy")) {
            contract.ruledBy(request.path("policy"));
        }
        if (request.has("signatureAlgorithm")) {
            contract.signing(request.text("signatureAlgorithm"));
        }
        boolean addressing = request.flag("addressing", false);
        if (addressing) {
            contract.with(Configuration.addressing());
        }
        WSService.InitParams surroundings = new WSService.InitParams();
        surroundings.setContainer(new Surroundings(configuration, recorder));
        Service service =
            WSService.create(contract.write(folder.resolve("service.wsdl")), contract.service(), surroundings);
        WebServiceFeature[] features =
            addressing ? new WebServiceFeature[] {new AddressingFeature(true, true)} : new WebServiceFeature[0];
        dispatch = service.createDispatch(
            contract.port(request.text("soap", "1.1")), Source.class, Service.Mode.PAYLOAD, features);
        configure(dispatch.getRequestContext(), request, material);
    }

    Document call(Document payload) {
        return Xml.document(dispatch.invoke(new DOMSource(payload)));
    }

    WireRecorder recorder() {
        return recorder;
    }

    /** Ends the client, and with it its conversation: Metro sends a Cancel now, and at no other time. */
    @Override
    public void close() throws IOException {
        ((Closeable) dispatch).close();
    }

    private static void configure(Map<String, Object> context, Request request, KeyMaterial material)
            throws Exception {
        context.put(BindingProvider.SOAPACTION_USE_PROPERTY, Boolean.TRUE);
        context.put(BindingProvider.SOAPACTION_URI_PROPERTY, request.text("action", Xml.ECHO + "/echo"));
        if (request.has("url")) {
            context.put(BindingProvider.ENDPOINT_ADDRESS_PROPERTY, request.text("url"));
        }
        boolean showCertificate = request.flag("tlsClientCertificate", false);
        context.put(JAXWSProperties.SSL_SOCKET_FACTORY, material.tls(showCertificate).getSocketFactory());
        context.put(JAXWSProperties.CONNECT_TIMEOUT, 10_000);
        context.put(JAXWSProperties.REQUEST_TIMEOUT, request.number("timeoutMillis", 60_000));
    }

    /** What Metro finds around one client: its own configuration, so that clients may differ, and its own transport. */
    private static final class Surroundings extends Container {
        private final ResourceLoader resources;
        private final TransportTubeFactory transport;

        Surroundings(URL configuration, TransportTubeFactory transport) {
            this.transport = transport;
            resources = new ResourceLoader() {
                @Override
                public URL getResource(String name) {
                    return name.equals("wsit-client.xml") ? configuration : null;
                }
            };
        }

        @Override
        public <S> S getSPI(Class<S> type) {
            if (type == ResourceLoader.class) {
                return type.cast(resources);
            }
            return type == TransportTubeFactory.class ? type.cast(transport) : super.getSPI(type);
        }
    }
}
