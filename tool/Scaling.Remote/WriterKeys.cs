// Who wrote an entry: ECDSA over P-256, one key a writer, and the list of those that are believed.
using System.Security.Cryptography;
using System.Text;

namespace Scaling.Remote;

/// <summary>A writer's private key.</summary>
public sealed class SigningKey
{
    private readonly ECDsa _key;

    private SigningKey(ECDsa key)
    {
        _key = key;
        Id = WriterKey.IdOf(key);
    }

    /// <summary>SHA-256 of the public key (SubjectPublicKeyInfo, DER), 64 hex digits.</summary>
    public string Id { get; }

    /// <summary>Reads a PEM file with a PKCS#8 private key on P-256, unencrypted.</summary>
    /// <param name="path">Of SCALING_SIGNING_KEY.</param>
    /// <exception cref="RemoteUsageException">SCAL1042: it cannot be read, or is another key.</exception>
    public static SigningKey Read(string path)
    {
        string pem = WriterKey.Text(path, "SCAL1042", "SCALING_SIGNING_KEY");
        return PemEncoding.TryFind(pem, out var fields) && pem[fields.Label] is "PRIVATE KEY" && WriterKey.Import(pem[fields.Location]) is { } key
            ? new SigningKey(key)
            : throw new RemoteUsageException("SCAL1042", $"{path} (SCALING_SIGNING_KEY) holds no unencrypted PKCS#8 private key on the curve P-256.", "'dotnet scaling cache keygen FOLDER' makes one.");
    }

    /// <summary>Makes a pair: <c>signing-key.pem</c>, for its owner alone, and <c>ID.pub.pem</c>, to be trusted by others.</summary>
    /// <param name="folder">Made where it is missing.</param>
    /// <returns>Both paths, and the key's id.</returns>
    /// <exception cref="RemoteUsageException">SCAL1045: there is a key already.</exception>
    public static (string Private, string Public, string Id) Make(string folder)
    {
        Directory.CreateDirectory(folder);
        string file = Path.Combine(folder, "signing-key.pem");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string id = WriterKey.IdOf(key);
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using var stream = new FileStream(file, options);
            stream.Write(Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n"));
        }
        catch (IOException) when (File.Exists(file))
        {
            throw new RemoteUsageException("SCAL1045", $"There is a signing key already: {file}.", "Name another folder: entries that were signed with it would be believed no more.");
        }

        string shared = Path.Combine(folder, $"{id[..16]}.pub.pem");
        File.WriteAllText(shared, key.ExportSubjectPublicKeyInfoPem() + "\n");
        return (file, shared, id);
    }

    /// <summary>Signs a manifest.</summary>
    /// <param name="manifest">Its text.</param>
    internal byte[] Sign(byte[] manifest)
    {
        lock (_key)
        {
            return EntrySignature.Write(Id, _key.SignData(EntrySignature.Frame(manifest), HashAlgorithmName.SHA256));
        }
    }

    /// <summary>Whether this key made a signature of a manifest.</summary>
    internal bool Signed(byte[] manifest, EntrySignature signature)
    {
        lock (_key)
        {
            return signature.KeyId == Id && _key.VerifyData(EntrySignature.Frame(manifest), signature.Signature, HashAlgorithmName.SHA256);
        }
    }
}

/// <summary>The public keys of the writers whose entries are taken.</summary>
public sealed class TrustedKeys
{
    private readonly Dictionary<string, ECDsa> _keys;

    private TrustedKeys(Dictionary<string, ECDsa> keys) => _keys = keys;

    /// <summary>How many there are.</summary>
    public int Count => _keys.Count;

    /// <summary>Reads a PEM file, or all <c>*.pem</c> of a folder, each with one public key on P-256 or several.</summary>
    /// <param name="path">Of SCALING_TRUSTED_KEYS.</param>
    /// <exception cref="RemoteUsageException">SCAL1043: there is none, or something else among them.</exception>
    public static TrustedKeys Read(string path)
    {
        string[] files = Directory.Exists(path) ? [.. Directory.EnumerateFiles(path, "*.pem").Order(StringComparer.Ordinal)] : [path];
        var keys = new Dictionary<string, ECDsa>(StringComparer.Ordinal);
        foreach (string file in files)
        {
            string pem = WriterKey.Text(file, "SCAL1043", "SCALING_TRUSTED_KEYS");
            int before = keys.Count;
            while (PemEncoding.TryFind(pem, out var fields))
            {
                string label = pem[fields.Label];
                var key = label == "PUBLIC KEY" ? WriterKey.Import(pem[fields.Location]) : null;
                if (key is null)
                {
                    throw new RemoteUsageException(
                        "SCAL1043", $"{file} (SCALING_TRUSTED_KEYS) holds '{label}', expected public keys on the curve P-256.", "Trusted keys are the *.pub.pem that 'dotnet scaling cache keygen' wrote; private ones stay with their writers.");
                }

                keys[WriterKey.IdOf(key)] = key;
                pem = pem[fields.Location.End..];
            }

            if (keys.Count == before && files.Length == 1)
            {
                throw new RemoteUsageException("SCAL1043", $"{file} (SCALING_TRUSTED_KEYS) holds no public key.", "Trusted keys are the *.pub.pem that 'dotnet scaling cache keygen' wrote.");
            }
        }

        return keys.Count > 0 ? new TrustedKeys(keys) : throw new RemoteUsageException("SCAL1043", $"{path} (SCALING_TRUSTED_KEYS) holds no *.pem file.", "Put the *.pub.pem of the writers there that you trust.");
    }

    /// <summary>Whether a key is among them.</summary>
    /// <param name="id">Its id.</param>
    internal bool Has(string id) => _keys.ContainsKey(id);

    /// <summary>Whether a manifest was signed so by a key that is among them.</summary>
    internal bool Verify(string id, byte[] manifest, byte[] signature)
    {
        var key = _keys[id];
        lock (key)
        {
            return key.VerifyData(EntrySignature.Frame(manifest), signature, HashAlgorithmName.SHA256);
        }
    }
}

/// <summary>What both sorts of keys share.</summary>
internal static class WriterKey
{
    private const string P256 = "1.2.840.10045.3.1.7";

    /// <summary>SHA-256 of the public key.</summary>
    public static string IdOf(ECDsa key) => Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));

    /// <summary>A key on P-256; null for any other.</summary>
    public static ECDsa? Import(string pem)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            if (key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value == P256)
            {
                return key;
            }
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or NotSupportedException)
        {
            // Another sort of key.
        }

        key.Dispose();
        return null;
    }

    /// <summary>The text of a key's file.</summary>
    public static string Text(string path, string code, string variable)
    {
        try
        {
            return new FileInfo(path).Length <= 1 << 20 ? File.ReadAllText(path) : throw new IOException("it is too large for keys");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RemoteUsageException(code, $"{path} ({variable}) cannot be read: {e.Message}", "Name a PEM file that 'dotnet scaling cache keygen' wrote.");
        }
    }
}
