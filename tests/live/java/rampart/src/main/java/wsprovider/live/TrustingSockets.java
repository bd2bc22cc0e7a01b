package wsprovider.live;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;
import org.apache.commons.httpclient.params.HttpConnectionParams;
import org.apache.commons.httpclient.protocol.Protocol;
import org.apache.commons.httpclient.protocol.ProtocolSocketFactory;
import org.apache.commons.httpclient.protocol.SecureProtocolSocketFactory;

/** TLS for one client: trusts the given certificates alone and checks the host name, which HttpClient 3 does not do by itself. */
final class TrustingSockets implements SecureProtocolSocketFactory {
    private static final int HTTPS_PORT = 443;

    private final SSLSocketFactory sockets;

    private TrustingSockets(KeyStore trusted) throws GeneralSecurityException {
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        sockets = context.getSocketFactory();
    }

    static Protocol https(KeyStore trusted) throws GeneralSecurityException {
        ProtocolSocketFactory factory = new TrustingSockets(trusted);
        return new Protocol("https", factory, HTTPS_PORT);
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        return connect(host, port, null, 0, 0);
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress local, int localPort) throws IOException {
        return connect(host, port, local, localPort, 0);
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress local, int localPort, HttpConnectionParams params) throws IOException {
        return connect(host, port, local, localPort, params == null ? 0 : params.getConnectionTimeout());
    }

    @Override
    public Socket createSocket(Socket plain, String host, int port, boolean autoClose) throws IOException {
        return handshake((SSLSocket) sockets.createSocket(plain, host, port, autoClose));
    }

    private Socket connect(String host, int port, InetAddress local, int localPort, int timeout) throws IOException {
        Socket plain = new Socket();
        if (local != null) {
            plain.bind(new InetSocketAddress(local, localPort));
        }
        plain.connect(new InetSocketAddress(host, port), timeout);
        return createSocket(plain, host, port, true);
    }

    private static Socket handshake(SSLSocket socket) throws IOException {
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        return socket;
    }
}
