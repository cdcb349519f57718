import { ActivityIndicator, Pressable, StyleSheet, Text } from 'react-native';

import { useTheme } from './theme';

interface Props {
  title: string;
  onPress(): void;
  /** The one thing to do here, or one among others. */
  kind?: 'main' | 'other';
  /** It is being done: it cannot be pressed. */
  busy?: boolean;
  disabled?: boolean;
}

export function Button({ title, onPress, kind = 'main', busy = false, disabled = false }: Props) {
  const theme = useTheme();
  const main = kind === 'main';
  const color = main ? theme.onAccent : theme.accent;
  return (
    <Pressable
      accessibilityRole="button"
      accessibilityState={{ disabled: disabled || busy, busy }}
      disabled={disabled || busy}
      onPress={onPress}
      style={({ pressed }) => [
        styles.button,
        main
          ? { backgroundColor: theme.accent, borderColor: theme.accent }
          : { backgroundColor: theme.card, borderColor: theme.edge },
        pressed && styles.pressed,
        disabled && styles.disabled,
      ]}
    >
      {busy && <ActivityIndicator aria-hidden color={color} />}
      <Text style={[styles.title, { color }]}>{title}</Text>
    </Pressable>
  );
}

const styles = StyleSheet.create({
  button: {
    minHeight: 52,
    paddingHorizontal: 20,
    borderRadius: 14,
    borderWidth: 1,
    flexDirection: 'row',
    alignItems: 'center',
    justifyContent: 'center',
    gap: 10,
  },
  title: { fontSize: 17, fontWeight: '600' },
  pressed: { opacity: 0.75 },
  disabled: { opacity: 0.5 },
});
