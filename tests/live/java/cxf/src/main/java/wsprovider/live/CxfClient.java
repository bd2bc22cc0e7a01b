package wsprovider.live;

import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import jakarta.xml.ws.BindingProvider;
import jakarta.xml.ws.Dispatch;
import jakarta.xml.ws.Service;
import jakarta.xml.ws.WebServiceFeature;
import jakarta.xml.ws.soap.AddressingFeature;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.xml.transform.Source;
import javax.xml.transform.dom.DOMSource;
import org.apache.cxf.Bus;
import org.apache.cxf.BusFactory;
import org.apache.cxf.configuration.jsse.TLSClientParameters;
import org.apache.cxf.endpoint.Endpoint;
import org.apache.cxf.jaxws.DispatchImpl;
import org.apache.cxf.transport.http.HTTPConduitConfigurer;
import org.apache.cxf.transports.http.configuration.HTTPClientPolicy;
import org.apache.cxf.ws.policy.PolicyEngine;
import org.apache.cxf.ws.policy.selector.MaximalAlternativeSelector;
import org.apache.cxf.ws.security.SecurityConstants;
import org.apache.cxf.ws.security.tokenstore.SecurityToken;
import org.w3c.dom.Document;

/** A CXF client that set itself up from a WSDL, and knows nothing but key material and passwords besides. */
final class CxfClient implements AutoCloseable {
    private static final String BOOTSTRAP = ".sct";

    private final Bus bus = BusFactory.newInstance().createBus();
    private final WireRecorder recorder = new WireRecorder();
    private final Dispatch<Source> dispatch;
    private final Endpoint endpoint;

    CxfClient(Request request) throws Exception {
        KeyMaterial material = KeyMaterial.ofClient(request);
        Kerberos.configure(request);
        BusFactory.setThreadDefaultBus(bus);
        try {
            // Without this touch the policies of the WSDL are never looked at and the messages go out bare.
            bus.getExtension(PolicyEngine.class).setEnabled(true);
            if (request.flag("maximal", false)) {
                bus.getExtension(PolicyEngine.class).setAlternativeSelector(new MaximalAlternativeSelector());
            }
            bus.setExtension(connections(request, material), HTTPConduitConfigurer.class);
            recorder.attach(bus);
            dispatch = dispatch(request, material);
            configure(dispatch.getRequestContext(), request, material);
            endpoint = ((DispatchImpl<Source>) dispatch).getClient().getEndpoint();
        } finally {
            BusFactory.setThreadDefaultBus(null);
        }
    }

    /** One call; with {@code cancel} CXF cancels the conversation as soon as it has the reply. */
    Document call(Document payload, boolean cancel) {
        BusFactory.setThreadDefaultBus(bus);
        if (cancel) {
            dispatch.getRequestContext().put(SecurityConstants.STS_TOKEN_DO_CANCEL, Boolean.TRUE);
        }
        try {
            return Xml.document(dispatch.invoke(new DOMSource(payload)));
        } finally {
            if (cancel) {
                dispatch.getRequestContext().remove(SecurityConstants.STS_TOKEN_DO_CANCEL);
            }
            BusFactory.setThreadDefaultBus(null);
        }
    }

    /** Sends to an operation that has no reply; a refusal is an exception all the same. */
    void tell(Document payload) {
        BusFactory.setThreadDefaultBus(bus);
        try {
            dispatch.invokeOneWay(new DOMSource(payload));
        } finally {
            BusFactory.setThreadDefaultBus(null);
        }
    }

    /** Identifier and expiry of the token in use, JSON null when there is none. */
    JsonElement conversation() {
        SecurityToken token = token();
        if (token == null) {
            return JsonNull.INSTANCE;
        }
        JsonObject told = new JsonObject();
        told.addProperty("identifier", Xml.argument(token.getToken()));
        told.addProperty("expires", String.valueOf(token.getExpires()));
        return told;
    }

    /** Makes the token look expired to this client, upon which CXF renews it before the next call. */
    void expireToken() {
        SecurityToken token = token();
        if (token == null) {
            throw new IllegalStateException("no conversation to renew");
        }
        token.setExpires(Instant.now().minusSeconds(1));
    }

    /** Forgets the token; the next call begins another conversation. */
    void forgetToken() {
        endpoint.remove(SecurityConstants.TOKEN);
        endpoint.remove(SecurityConstants.TOKEN_ID);
    }

    /** CXF keeps the token with the endpoint, also after it was cancelled or refused; only its expiry ends that. */
    private SecurityToken token() {
        return (SecurityToken) endpoint.get(SecurityConstants.TOKEN);
    }

    WireRecorder recorder() {
        return recorder;
    }

    @Override
    public void close() {
        bus.shutdown(true);
    }

    private Dispatch<Source> dispatch(Request request, KeyMaterial material) throws Exception {
        boolean digest = "PasswordDigest".equals(request.text("passwordType"));
        String location = request.required("wsdl");
        if (digest) {
            location = DigestPolicy.copyOf(location, material).toString();
        }
        Wsdl wsdl = Wsdl.choose(bus, location, request.text("soap", "1.1"));
        List<WebServiceFeature> features = new ArrayList<>();
        if (request.has("policy")) {
            features.add(Policies.feature(bus, digest
                ? DigestPolicy.copyOf(request.text("policy"), material) : request.path("policy")));
        }
        if (request.flag("addressing", false)) {
            features.add(new AddressingFeature(true, true));
        }
        Service service = Service.create(Policies.url(location), wsdl.service());
        return service.createDispatch(wsdl.port(), Source.class, Service.Mode.PAYLOAD,
            features.toArray(WebServiceFeature[]::new));
    }

    private static void configure(Map<String, Object> context, Request request, KeyMaterial material) {
        context.put("find.dispatch.operation", Boolean.TRUE);
        context.put(BindingProvider.SOAPACTION_USE_PROPERTY, Boolean.TRUE);
        context.put(BindingProvider.SOAPACTION_URI_PROPERTY, request.text("action", Xml.ECHO + "/echo"));
        if (request.has("url")) {
            context.put(BindingProvider.ENDPOINT_ADDRESS_PROPERTY, request.text("url"));
        }
        Map<String, Object> security = security(request, material);
        context.putAll(security);
        security.forEach((name, value) -> context.put(name + BOOTSTRAP, value));
        Map<String, Object> properties = new HashMap<>(request.values("properties"));
        SuiteDefaults.complete(properties);
        context.putAll(properties);
    }

    private static Map<String, Object> security(Request request, KeyMaterial material) {
        Map<String, Object> found = new HashMap<>();
        Map<String, String> users = new HashMap<>();
        if (request.has("username")) {
            users.put(request.text("username"), request.text("password"));
            found.put(SecurityConstants.USERNAME, request.text("username"));
            if (request.has("password")) {
                found.put(SecurityConstants.PASSWORD, request.text("password"));
            }
        }
        Secrets secrets = new Secrets(new String(material.password()), users, Map.of());
        found.put(SecurityConstants.CALLBACK_HANDLER, request.has("principal")
            ? new Kerberos.Login(request.text("principal"), request.text("principalPassword", ""), secrets) : secrets);
        found.put(SecurityConstants.SIGNATURE_CRYPTO, material.crypto());
        if (material.alias() != null || material.peer() != null) {
            // With it CXF wants to know for whom it encrypts, also where the key is a Kerberos ticket's.
            found.put(SecurityConstants.ENCRYPT_CRYPTO, material.crypto());
        }
        if (material.alias() != null) {
            found.put(SecurityConstants.SIGNATURE_USERNAME, material.alias());
        }
        if (material.peer() != null) {
            found.put(SecurityConstants.ENCRYPT_USERNAME, KeyMaterial.PEER);
        }
        return found;
    }

    private static HTTPConduitConfigurer connections(Request request, KeyMaterial material) throws Exception {
        TLSClientParameters tls = new TLSClientParameters();
        tls.setTrustManagers(material.trustManagers());
        if (request.flag("tlsClientCertificate", false)) {
            tls.setKeyManagers(material.keyManagers());
        }
        HTTPClientPolicy policy = new HTTPClientPolicy();
        policy.setConnectionTimeout(10_000);
        policy.setReceiveTimeout(request.number("timeoutMillis", 60_000));
        if (request.has("httpVersion")) {
            policy.setVersion(request.text("httpVersion"));
        }
        if (request.has("chunking")) {
            policy.setAllowChunking(request.flag("chunking", true));
        }
        return (name, address, conduit) -> {
            conduit.setTlsClientParameters(tls);
            conduit.setClient(policy);
        };
    }
}
