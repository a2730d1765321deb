// An assembly's public members as text, one a line, for a snapshot: what others compile against changes only on purpose.
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Scaling.TestKit;

/// <summary>Renders what other assemblies can see.</summary>
public static class PublicApi
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly NullabilityInfoContext Nullability = new();

    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void", [typeof(object)] = "object", [typeof(string)] = "string", [typeof(bool)] = "bool", [typeof(byte)] = "byte", [typeof(char)] = "char",
        [typeof(int)] = "int", [typeof(long)] = "long", [typeof(float)] = "float", [typeof(double)] = "double", [typeof(decimal)] = "decimal",
    };

    /// <summary>The assembly's name and version, then its public types in ordinal order, each with its public and protected members. What a record's compiler wrote is left out.</summary>
    /// <param name="assembly">Loaded with what it refers to.</param>
    public static string Of(Assembly assembly)
    {
        var text = new StringBuilder($"{assembly.GetName().Name} {assembly.GetName().Version}\n");
        foreach (var type in assembly.GetExportedTypes().OrderBy(t => t.FullName, StringComparer.Ordinal))
        {
            text.Append('\n').Append(Heading(type)).Append('\n');
            foreach (string member in Members(type).Order(StringComparer.Ordinal))
            {
                text.Append("    ").Append(member).Append('\n');
            }
        }

        return text.ToString();
    }

    private static string Heading(Type type)
    {
        string kind = type.IsEnum ? "enum"
            : type.IsInterface ? "interface"
            : type.IsValueType ? "struct"
            : typeof(Delegate).IsAssignableFrom(type) ? "delegate"
            : type.GetMethod("<Clone>$") is not null ? "record" : "class";
        string modifier = type is { IsAbstract: true, IsSealed: true } ? "static "
            : type is { IsAbstract: true, IsInterface: false } ? "abstract "
            : type is { IsSealed: true, IsValueType: false } ? "sealed " : "";
        var bases = (type.BaseType is { } parent && parent != typeof(object) && !type.IsValueType ? new[] { parent } : [])
            .Concat(type.GetInterfaces().Except(type.BaseType?.GetInterfaces() ?? []).Where(i => i.IsVisible && !(i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IEquatable<>) && kind == "record")))
            .Select(Name).Order(StringComparer.Ordinal);
        string inherits = type.IsEnum || !bases.Any() ? "" : " : " + string.Join(", ", bases);
        return $"{modifier}{kind} {type.Namespace}.{Name(type)}{inherits}{Constraints(type.IsGenericTypeDefinition ? type.GetGenericArguments() : [])}";
    }

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
        {
            return type.GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => $"{Convert.ToInt64(f.GetRawConstantValue(), CultureInfo.InvariantCulture)} {f.Name}");
        }

        return type.GetMembers(Declared).Where(m => !IsWritten(m)).Select(Line).OfType<string>();
    }

    /// <summary>What the compiler wrote: of a record everything but what its author declares.</summary>
    private static bool IsWritten(MemberInfo member) =>
        member.Name.Contains('<', StringComparison.Ordinal)
        || (member.IsDefined(typeof(CompilerGeneratedAttribute)) && member is not PropertyInfo)
        || (member is PropertyInfo { Name: "EqualityContract" })
        || (member is MethodInfo { IsSpecialName: true } method && !method.Name.StartsWith("op_", StringComparison.Ordinal));

    private static string? Line(MemberInfo member) => member switch
    {
        ConstructorInfo made when Seen(made) => $"{Access(made)}new({Parameters(made)})",
        MethodInfo method when Seen(method) => $"{Access(method)}{Kind(method)}{Name(Nullability.Create(method.ReturnParameter))} {method.Name}{Generic(method)}({Parameters(method)}){Constraints(method.IsGenericMethod ? method.GetGenericArguments() : [])}",
        PropertyInfo property when Accessors(property).Any(Seen) => Property(property),
        FieldInfo { IsPublic: true, IsLiteral: true } constant => $"const {Name(constant.FieldType)} {constant.Name} = {constant.GetRawConstantValue()}",
        FieldInfo { IsPublic: true } field => $"{(field.IsStatic ? "static " : "")}{Name(Nullability.Create(field))} {field.Name}",
        EventInfo happening when Seen(happening.AddMethod!) => $"event {Name(happening.EventHandlerType!)} {happening.Name}",
        _ => null,
    };

    private static string Property(PropertyInfo property)
    {
        var seen = Accessors(property).First(Seen);
        string required = property.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "";
        bool isInit = property.SetMethod?.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) == true;
        string get = property.GetMethod is { } getter && Seen(getter) ? "get; " : "";
        string set = property.SetMethod is { } setter && Seen(setter) ? isInit ? "init; " : "set; " : "";
        string name = property.GetIndexParameters() is { Length: > 0 } index ? $"this[{string.Join(", ", index.Select(Parameter))}]" : property.Name;
        return $"{required}{Access(seen)}{Kind(seen)}{Name(Nullability.Create(property))} {name} {{ {get}{set}}}";
    }

    private static IEnumerable<MethodInfo> Accessors(PropertyInfo property) => new[] { property.GetMethod, property.SetMethod }.OfType<MethodInfo>();

    private static bool Seen(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static string Access(MethodBase method) => method.IsPublic ? "" : "protected ";

    private static string Kind(MethodInfo method) =>
        method.IsStatic ? "static "
        : method.DeclaringType!.IsInterface ? (method.IsAbstract ? "" : "virtual ")
        : method.GetBaseDefinition() != method ? "override "
        : method.IsAbstract ? "abstract "
        : method is { IsVirtual: true, IsFinal: false } ? "virtual " : "";

    private static string Generic(MethodInfo method) => method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(a => a.Name))}>" : "";

    private static string Parameters(MethodBase method) => (method.IsDefined(typeof(ExtensionAttribute)) ? "this " : "") + string.Join(", ", method.GetParameters().Select(Parameter));

    private static string Parameter(ParameterInfo parameter)
    {
        string kind = parameter.IsOut ? "out " : parameter.IsIn ? "in " : parameter.ParameterType.IsByRef ? "ref " : parameter.IsDefined(typeof(ParamArrayAttribute)) || parameter.IsDefined(typeof(ParamCollectionAttribute)) ? "params " : "";
        string standard = parameter.HasDefaultValue ? $" = {Value(parameter)}" : "";
        return $"{kind}{Name(Nullability.Create(parameter))} {parameter.Name}{standard}";
    }

    private static string Value(ParameterInfo parameter) => parameter.DefaultValue switch
    {
        null => parameter.ParameterType.IsValueType && Nullable.GetUnderlyingType(parameter.ParameterType) is null ? "default" : "null",
        string text => $"\"{text}\"",
        bool truth => truth ? "true" : "false",
        var number when parameter.ParameterType.IsEnum => $"{Name(parameter.ParameterType)}.{Enum.ToObject(parameter.ParameterType, number)}",
        var number => string.Create(CultureInfo.InvariantCulture, $"{number}"),
    };

    private static string Constraints(Type[] arguments) => string.Concat(arguments.Select(a =>
    {
        string[] asked =
        [
            .. a.GenericParameterAttributes.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint) ? ["class"] : Array.Empty<string>(),
            .. a.GetGenericParameterConstraints().Where(c => c != typeof(ValueType)).Select(Name),
            .. a.GenericParameterAttributes.HasFlag(GenericParameterAttributes.NotNullableValueTypeConstraint) ? ["struct"]
                : a.GenericParameterAttributes.HasFlag(GenericParameterAttributes.DefaultConstructorConstraint) ? ["new()"] : Array.Empty<string>(),
        ];
        return asked.Length == 0 ? "" : $" where {a.Name} : {string.Join(", ", asked)}";
    }));

    /// <summary>A type with the question marks of its nullable references.</summary>
    private static string Name(NullabilityInfo info)
    {
        bool isOpen = info.Type is { IsValueType: false, IsGenericParameter: false, IsByRef: false };
        string mark = isOpen && (info.ReadState == NullabilityState.Nullable || info.WriteState == NullabilityState.Nullable) ? "?" : "";
        if (info.ElementType is { } element)
        {
            return $"{Name(element)}[]{mark}";
        }

        return info.GenericTypeArguments.Length > 0 && info.Type.IsGenericType && Nullable.GetUnderlyingType(info.Type) is null
            ? $"{Plain(info.Type)}<{string.Join(", ", info.GenericTypeArguments.Select(Name))}>{mark}"
            : Name(info.Type) + mark;
    }

    private static string Name(Type type)
    {
        if (type.IsByRef)
        {
            return Name(type.GetElementType()!);
        }

        if (type.IsArray)
        {
            return Name(type.GetElementType()!) + "[]";
        }

        if (Nullable.GetUnderlyingType(type) is { } value)
        {
            return Name(value) + "?";
        }

        return Keywords.TryGetValue(type, out string? keyword) ? keyword
            : type.IsGenericType ? $"{Plain(type)}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : Plain(type);
    }

    private static string Plain(Type type)
    {
        string name = type.Name.Split('`')[0];
        return type.IsNested && !type.IsGenericParameter ? $"{Plain(type.DeclaringType!)}.{name}" : name;
    }
}
